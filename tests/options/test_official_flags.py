"""Every flag of the official code, frozen: name, type and default in 2021 and 2025, and the older spellings."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from options.cli import parse_test, parse_train
from options.schema import Options
from options.stored import flatten

# flag -> (official default, a typed value, what it becomes); a switch has no typed value
BASE: dict[str, tuple[Any, str | None, Any]] = {
    "name": ("experiment_name", "facades", "facades"),
    "checkpoints_dir": ("./checkpoints", "runs", "runs"),
    "input_nc": (3, "1", 1),
    "output_nc": (3, "1", 1),
    "ngf": (64, "32", 32),
    "ndf": (64, "32", 32),
    "netD": ("basic", "pixel", "pixel"),
    "netG": ("resnet_9blocks", "unet_128", "unet_128"),
    "n_layers_D": (3, "5", 5),
    "norm": ("instance", "syncbatch", "syncbatch"),
    "init_type": ("normal", "xavier", "xavier"),
    "init_gain": (0.02, "0.1", 0.1),
    "no_dropout": (False, None, True),
    "direction": ("AtoB", "BtoA", "BtoA"),
    "serial_batches": (False, None, True),
    "num_threads": (4, "2", 2),
    "batch_size": (1, "8", 8),
    "load_size": (286, "572", 572),
    "crop_size": (256, "128", 128),
    "max_dataset_size": (math.inf, "7", 7),
    "preprocess": ("resize_and_crop", "scale_width", "scale_width"),
    "no_flip": (False, None, True),
    "display_winsize": (256, "128", 128),
    "epoch": ("latest", "20", "20"),
    "load_iter": (0, "5000", 5000),
    "verbose": (False, None, True),
    "suffix": ("", "again", "again"),
    "use_wandb": (False, None, True),
    "wandb_project_name": ("CycleGAN-and-pix2pix", "mine", "mine"),
}
TRAIN: dict[str, tuple[Any, str | None, Any]] = {
    "display_freq": (400, "7", 7),
    "update_html_freq": (1000, "7", 7),
    "print_freq": (100, "7", 7),
    "no_html": (False, None, True),
    "save_latest_freq": (5000, "7", 7),
    "save_epoch_freq": (5, "7", 7),
    "save_by_iter": (False, None, True),
    "continue_train": (False, None, True),
    "epoch_count": (1, "7", 7),
    "phase": ("train", "val", "val"),
    "n_epochs": (100, "7", 7),
    "n_epochs_decay": (100, "7", 7),
    "beta1": (0.5, "0.9", 0.9),
    "lr": (0.0002, "1e-3", 0.001),
    "gan_mode": ("lsgan", "wgangp", "wgangp"),
    "pool_size": (50, "7", 7),
    "lr_policy": ("linear", "cosine", "cosine"),
    "lr_decay_iters": (50, "7", 7),
    "display_ncols": (4, "2", 2),  # this one and the next four left in 2025
    "display_id": (1, "-1", -1),
    "display_server": ("http://localhost", "http://other", "http://other"),
    "display_port": (8097, "8098", 8098),
}
TEST: dict[str, tuple[Any, str | None, Any]] = {
    "results_dir": ("./results/", "out", "out"),
    "aspect_ratio": (1.0, "1.5", 1.5),
    "phase": ("test", "val", "val"),
    "eval": (False, None, True),
}
PIX2PIX = {"norm": "batch", "netG": "unet_256", "dataset_mode": "aligned"}
PIX2PIX_TRAIN = {"pool_size": 0, "gan_mode": "vanilla", "lambda_L1": 100.0}
COLORIZATION = {"dataset_mode": "colorization", "input_nc": 1, "output_nc": 2, "direction": "AtoB"}
TRAIN_MODELS: dict[str, dict[str, Any]] = {
    "cycle_gan": {
        "no_dropout": True,
        "dataset_mode": "unaligned",
        "lambda_A": 10.0,
        "lambda_B": 10.0,
        "lambda_identity": 0.5,
    },
    "pix2pix": PIX2PIX | PIX2PIX_TRAIN,
    "colorization": PIX2PIX | PIX2PIX_TRAIN | COLORIZATION,
    "template": {"dataset_mode": "aligned", "lambda_regression": 1.0},
}
TEST_MODELS: dict[str, dict[str, Any]] = {
    "cycle_gan": {"no_dropout": True, "dataset_mode": "unaligned"},
    "pix2pix": PIX2PIX,
    "colorization": PIX2PIX | COLORIZATION,
    "template": {"dataset_mode": "aligned"},
    "test": {"dataset_mode": "single", "model_suffix": ""},
}
FORCED_IN_TEST = {"num_threads": 0, "batch_size": 1, "serial_batches": True, "no_flip": True, "load_size": 256}

# what a flag needs beside it, or it would be refused as having no effect
COMPANIONS = {
    "n_layers_D": "--netD n_layers",
    "lr_decay_iters": "--lr_policy step",
    "input_nc": "--model template",  # CycleGAN's identity loss needs equal channels
    "output_nc": "--model template",
    "epoch_count": "--continue_train",
}
TRAIN_COMPANIONS = {"epoch": "--continue_train", "load_iter": "--continue_train"}  # no effect without
PARSERS: dict[str, Callable[..., Options]] = {"train": parse_train, "test": parse_test}


def settings(command: str, *words: str) -> dict[str, Any]:
    return flatten(PARSERS[command](["--dataroot", "x", *words]))


def cases(table: dict[str, tuple[Any, str | None, Any]], command: str) -> list[Any]:
    return [
        pytest.param(command, flag, text, value, id=f"{command}-{flag}") for flag, (_, text, value) in table.items()
    ]


@pytest.mark.parametrize(
    ("command", "flag", "text", "value"),
    [*cases(BASE, "train"), *cases(TRAIN, "train"), *cases(BASE, "test"), *cases(TEST, "test")],
)
def test_an_official_flag_lands_in_the_option_of_its_name(
    command: str, flag: str, text: str | None, value: Any
) -> None:
    companions = COMPANIONS | (TRAIN_COMPANIONS if command == "train" else {})
    found = settings(command, *companions.get(flag, "").split(), f"--{flag}", *([] if text is None else [text]))
    if flag == "suffix":
        assert found["name"] == "experiment_name_again"
    assert (found[flag], type(found[flag])) == (value, type(value))


@pytest.mark.parametrize(
    ("command", "words", "flag", "value"),
    [
        ("train", "--lambda_A 3 --lambda_B 4 --lambda_identity 0", "lambda_A", 3.0),
        ("train", "--lambda_A 3 --lambda_B 4 --lambda_identity 0", "lambda_B", 4.0),
        ("train", "--lambda_A 3 --lambda_B 4 --lambda_identity 0", "lambda_identity", 0.0),
        ("train", "--model pix2pix --lambda_L1 10", "lambda_L1", 10.0),
        ("train", "--model template --lambda_regression 2", "lambda_regression", 2.0),
        ("train", "--dataset_mode template --new_dataset_option 3", "new_dataset_option", 3.0),
        ("test", "--model_suffix _A", "model_suffix", "_A"),
        ("train", "--gpu_ids -1", "gpu_ids", "-1"),
        ("train", "--display_env faces", "display_env", "faces"),
        ("test", "--num_test 50", "num_test", 50),
    ],
)
def test_flags_of_models_data_sets_and_older_versions(command: str, words: str, flag: str, value: Any) -> None:
    assert settings(command, *words.split())[flag] == value


@pytest.mark.parametrize("model", TRAIN_MODELS)
def test_training_has_the_official_defaults_of_each_model(model: str) -> None:
    shared = {flag: default for table in (BASE, TRAIN) for flag, (default, _, _) in table.items()}
    expected = shared | TRAIN_MODELS[model] | {"model": model}
    found = settings("train", "--model", model)
    assert {flag: found[flag] for flag in expected} == expected


@pytest.mark.parametrize("model", TEST_MODELS)
def test_testing_has_the_official_defaults_of_each_model(model: str) -> None:
    shared = {flag: default for table in (BASE, TEST) for flag, (default, _, _) in table.items()}
    expected = shared | FORCED_IN_TEST | TEST_MODELS[model] | {"model": model}
    found = settings("test", "--model", model)
    assert {flag: found[flag] for flag in expected} == expected


def test_without_a_model_train_learns_a_cyclegan_and_test_uses_one_generator() -> None:
    assert settings("train")["model"] == "cycle_gan"
    assert settings("test")["model"] == "test"


@pytest.mark.parametrize(
    ("command", "old", "flag", "value"),
    [
        ("train", "--loadSize 572", "load_size", 572),
        ("train", "--fineSize 128", "crop_size", 128),
        ("train", "--batchSize 4", "batch_size", 4),
        ("train", "--nThreads 1", "num_threads", 1),
        ("train", "--which_direction BtoA", "direction", "BtoA"),
        ("test", "--which_epoch 20", "epoch", "20"),
        ("train", "--which_model_netG unet_128", "netG", "unet_128"),
        ("train", "--which_model_netD pixel", "netD", "pixel"),
        ("train", "--resize_or_crop scale_width", "preprocess", "scale_width"),
        ("train", "--niter 3", "n_epochs", 3),
        ("train", "--niter_decay 3", "n_epochs_decay", 3),
        ("train", "--no_lsgan", "gan_mode", "vanilla"),
        ("train", "--identity 0.1", "lambda_identity", 0.1),
        ("train", "--lr_policy lambda", "lr_policy", "linear"),
        ("test", "--how_many 9", "num_test", 9),
        ("test", "--ntest 9", "num_test", 9),
    ],
)
def test_a_spelling_of_before_2019_sets_the_option_of_today(command: str, old: str, flag: str, value: Any) -> None:
    assert settings(command, *old.split())[flag] == value


@pytest.mark.parametrize("command", PARSERS)
def test_help_does_not_show_the_old_spellings(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        settings(command, "--model", "cycle_gan", "--help-all")
    assert not re.search("--(loadSize|no_lsgan|niter|how_many|identity) ", capsys.readouterr().out)


def test_where_we_differ_from_the_official_defaults_on_purpose() -> None:
    assert settings("train")["gpu_ids"] == ""  # official: "0"; empty takes the first GPU, or the CPU
    assert settings("train")["display_env"] == ""  # official: "main"; empty is the name of the run
    assert settings("test")["num_test"] == math.inf  # official: 50
    assert settings("test", "--crop_size", "512")["load_size"] == 512  # official: stays 256
    assert settings("test", "--crop_size", "512", "--load_size", "600")["load_size"] == 600
