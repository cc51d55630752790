"""What the flags of CUT mean: modes, defaults, resumes, refusals."""

from typing import Any

import pytest

from models.cut_flags import MODES
from models.registry import create_model
from options.cli import parse_train
from options.stored import flatten
from tests.small import small_options, train_steps, training

FAST = "--CUT_mode FastCUT"


@pytest.mark.parametrize("mode", ["CUT", "FastCUT"])
def test_a_mode_sets_what_is_not_typed(mode: str) -> None:
    found = flatten(small_options("cut", f"--CUT_mode {mode.lower()}"))
    assert {name: found[name] for name in MODES[mode]} == MODES[mode]
    assert found["CUT_mode"] == mode
    typed = flatten(
        small_options("cut", f"--CUT_mode {mode} --lambda_NCE 4 --nce_idt {mode == 'FastCUT'} --n_epochs 7")
    )
    assert (typed["lambda_NCE"], typed["nce_idt"], typed["n_epochs"]) == (4, mode == "FastCUT", 7)
    assert typed["n_epochs_decay"] == MODES[mode]["n_epochs_decay"]


def test_the_defaults_are_those_of_the_official_code() -> None:
    found = flatten(small_options("cut"))
    expected = {
        "CUT_mode": "CUT",
        "lambda_GAN": 1,
        "lambda_NCE": 1,
        "nce_idt": True,
        "nce_T": 0.07,
        "nce_includes_all_negatives_from_minibatch": False,
        "num_patches": 256,
        "netF": "mlp_sample",
        "netF_nc": 256,
        "flip_equivariance": False,
        "pool_size": 0,
        "no_dropout": True,
        "init_type": "xavier",
        "gan_mode": "lsgan",
        "lr": 0.0002,
        "beta1": 0.5,
        "n_epochs": 200,
        "n_epochs_decay": 200,
        "dataset_mode": "unaligned",
    }
    assert {name: found[name] for name in expected} == expected


def resumed(words: str, stored: dict[str, Any]) -> dict[str, Any]:
    argv = ["--dataroot", "x", "--name", "run", "--continue_train", *words.split()]
    return flatten(parse_train(argv, stored=lambda run: stored))


def test_a_resume_keeps_what_the_run_has_and_not_what_a_mode_would_set(capsys: pytest.CaptureFixture[str]) -> None:
    stored = flatten(small_options("cut", f"{FAST} --lambda_NCE 4 --n_epochs 7"))
    for words in ("", "--model cut"):
        found = resumed(words, stored)
        assert {name: found[name] for name in MODES["FastCUT"]} == {name: stored[name] for name in MODES["FastCUT"]}
    with pytest.raises(SystemExit):
        resumed("--CUT_mode CUT", stored)
    assert "--CUT_mode CUT cannot continue this run, which has --CUT_mode FastCUT" in capsys.readouterr().err
    found = resumed(FAST, {**stored, "n_epochs": 300})  # as it was started, though a flag has changed since
    assert found["n_epochs"] == 300


def test_a_preset_of_another_mode_is_named_with_all_that_differs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_train(["--dataroot", "x", "--preset", "horse2zebra_cut", *FAST.split()])
    said = capsys.readouterr().err
    assert "--CUT_mode FastCUT means something else than the preset's" in said
    assert "--n_epochs 200" in said
    assert "--n_epochs_decay 200" in said


@pytest.mark.parametrize("flag", ["lambda_NCE", "lambda_GAN"])
def test_a_resume_cannot_leave_networks_out_or_add_some(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    for before, now in ((1.0, 0.0), (0.0, 1.0)):
        stored = flatten(small_options("cut")) | {flag: before}
        with pytest.raises(SystemExit):
            resumed(f"--{flag} {now}", stored)
        assert f"--{flag} {now} cannot continue this run, which has --{flag} {before}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--CUT_mode SlowCUT", "invalid choice: 'SlowCUT'"),
        ("--nce_T 0", "--nce_T 0.0 must be above 0"),
        ("--num_patches 1", "--num_patches 1 is too small"),
        ("--netF reshape", "invalid choice: 'reshape'"),
        ("--netF sample --netF_nc 64", "--netF_nc has no effect with --netF sample"),
        ("--netF_nc 0", "--netF_nc 0 is too small"),
        ("--nce_layers 0,a", "--nce_layers '0,a' is no list of places such as 0,4,7,10,14"),
        ("--lambda_NCE -1", "--lambda_NCE -1.0 is too small"),
        ("--lambda_NCE 0 --lambda_GAN 0", "there is nothing to learn from"),
        ("--lambda_NCE 0 --nce_T 0.1", "--nce_T has no effect with --lambda_NCE 0"),
        ("--pool_size 5", "--pool_size has no effect on cut"),
        ("--input_nc 1", "cut needs channels of one number, not --input_nc 1 and --output_nc 3"),
        ("--memory low --nce_idt false", "--memory low has no effect without --nce_idt"),
        (
            "--batch_size 2 --accumulate 2 --nce_includes_all_negatives_from_minibatch",
            "--accumulate takes apart what --nce_includes_all_negatives_from_minibatch needs",
        ),
    ],
)
def test_what_cannot_be_or_has_no_effect_is_refused(flags: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        small_options("cut", flags)
    assert words in capsys.readouterr().err


def test_a_generator_without_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="residual blocks alone; pass --netG resnet_9blocks"):
        create_model(small_options("cut", "--netG unet_32"))


def test_layers_can_be_chosen() -> None:
    model, stepper, progress = training("cut", "--nce_layers 4,0 --netF_nc 8")
    assert model.encoder.layers == (0, 4)  # type: ignore[union-attr]
    weights = model.networks["F"].state_dict()
    assert [*weights][-1] == "mlp_1.2.bias"
    assert weights["mlp_1.0.weight"].shape == (8, 8)
    train_steps(model, stepper, progress, 1)
