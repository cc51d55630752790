"""Which commands a table comes to, and what is refused before the first is run."""

import pytest

from ablation.plan import Job, plan
from ablation.runner import commands
from ablation.tables import read_table
from options.ablate import parse_ablate
from options.cli.preset import read_preset
from options.errors import UserError


def jobs_of(words: str) -> list[Job]:
    opt = parse_ablate(words.split())
    return plan(read_table(opt.table), opt)


def planned(words: str) -> list[str]:
    opt = parse_ablate(words.split())
    return list(commands(read_table(opt.table), opt))


def test_each_row_and_seed_is_trained_and_evaluated_a_seed_after_the_other() -> None:
    jobs = jobs_of("pix2pix_losses --dataroot x --seeds 2 --only L1,L1+cGAN")
    assert [job.name for job in jobs] == [
        "L1_seed0",
        "L1-cGAN_seed0",
        "L1_seed1",
        "L1-cGAN_seed1",
    ]


def test_the_commands_can_be_typed() -> None:
    train, evaluate = planned(
        "pix2pix_losses --dataroot faces --direction BtoA --seeds 1 --only L1 --metrics l1,fid --phase val "
        "--checkpoints_dir runs -- --crop_size 64 --load_size 72 -- --batch_size 4"
    )
    assert train == (
        "python train.py --name pix2pix_losses/L1_seed0 --checkpoints_dir runs --model pix2pix --dataroot faces "
        "--seed 0 --resume auto --direction BtoA --display_id 0 --save_epoch_freq 1000000 --keep_last 1 --netG unet_64 "
        "--crop_size 64 --load_size 72 --lambda_GAN 0"
    )
    assert evaluate == (
        "python evaluate.py runs/pix2pix_losses/L1_seed0 --dataroot faces --phase val --metrics l1,fid "
        "--batch_size 4 --output runs/pix2pix_losses/L1_seed0/scores.json"
    )


def test_a_preset_may_be_the_base() -> None:
    (job,) = jobs_of("pix2pix_losses --dataroot x --seeds 1 --only GAN -- --preset facades")
    assert (job.settings["n_epochs"], job.settings["direction"], job.settings["lambda_L1"]) == (200, "BtoA", 0)


def test_the_flags_of_a_preset_win_over_those_of_the_table() -> None:
    (job,) = jobs_of("cycle_gan_losses --dataroot x --seeds 1 --only CycleGAN -- --preset monet2photo")
    found = [job.settings[name] for name in ("netG", "load_size", "crop_size", "lambda_identity", "lambda_A")]
    assert found == ["resnet_9blocks", 286, 256, 0.5, 10]


@pytest.mark.parametrize("row", [row.label for row in read_table("cycle_gan_losses").rows])
def test_the_preset_of_the_documents_is_the_tables_own_recipe(row: str) -> None:
    words = ["cycle_gan_losses", "--dataroot", "x", "--direction", "BtoA", "--seeds", "1", "--only", row]
    plain, recipe = (
        plan(read_table("cycle_gan_losses"), parse_ablate([*words, *more]))[0]
        for more in ([], ["--", "--preset", "cityscapes_128"])
    )
    assert plain.settings == recipe.settings
    assert (recipe.settings["direction"], recipe.settings["crop_size"]) == ("BtoA", 128)
    flags = read_preset("cityscapes_128").flags
    own = next(one.flags for one in read_table("cycle_gan_losses").rows if one.label == row)
    assert {name: recipe.settings[name] for name in flags} == {name: own.get(name, flags[name]) for name in flags}


def test_a_generator_follows_the_size_that_is_typed_beside_a_preset() -> None:
    (job,) = jobs_of(
        "pix2pix_losses --dataroot x --seeds 1 --only L1 -- --preset facades --load_size 143 --crop_size 128"
    )
    assert (job.settings["netG"], job.settings["n_epochs"]) == ("unet_128", 200)


@pytest.mark.parametrize(
    ("table", "metrics"),
    [
        ("pix2pix_losses", "l1,lpips,fid"),
        ("pix2pix_architecture", "l1,lpips,fid"),
        ("pix2pix_patch_size", "l1,lpips,fid"),
        ("pix2pix_colors", "histogram,l1,lpips,fid"),
        ("cycle_gan_losses", "fid,kid,cycle"),
    ],
)
def test_each_table_has_metrics_of_its_own(table: str, metrics: str) -> None:
    for typed, expected in ((metrics, metrics), ("", metrics), ("kid", "kid")):
        (_, evaluate, *_) = planned(f"{table} --dataroot x --seeds 1 {f'--metrics {typed}' if typed else ''}")
        assert f"--metrics {expected} " in evaluate


def test_cycle_gan_on_pairs_can_be_compared_with_them() -> None:
    words = "cycle_gan_losses --dataroot x --seeds 1 --metrics l1,cycle"
    for more in ("-- --dataset_mode aligned", "-- -- --dataset_mode aligned", "-- --dataset_mode webdataset"):
        assert planned(f"{words} {more}")


@pytest.mark.parametrize(
    "flags",
    [
        "--val_freq 1 --val_share 0.3",
        "--init_from other",
        "--precision bf16",
        "--fast_layers off",
        "--compile nets",
        "--val_freq 1 --patience 3",
        "--n_epochs 5",
    ],
)
def test_the_settings_have_all_that_changes_a_training(flags: str) -> None:
    (plain,) = jobs_of("pix2pix_losses --dataroot x --seeds 1 --only L1")
    (other,) = jobs_of(f"pix2pix_losses --dataroot x --seeds 1 --only L1 -- {flags}")
    assert plain.settings != other.settings


@pytest.mark.parametrize("flags", ["--num_threads 2", "--val_freq 3 --val_metrics ssim", "--display_id 1"])
def test_and_nothing_else(flags: str) -> None:
    (plain,) = jobs_of("pix2pix_losses --dataroot x --seeds 1 --only L1")
    (other,) = jobs_of(f"pix2pix_losses --dataroot x --seeds 1 --only L1 -- {flags}")
    assert plain.settings == other.settings


REFUSED = [
    ("", r"TABLE is missing; --list shows them"),
    ("pix2pix_losses", r"--dataroot is missing; give the folder of images, such as --dataroot ./datasets/facades"),
    ("pix2pix_losses --dataroot x --seeds 0", r"--seeds 0 is too small"),
    ("pix2pix_losses --dataroot x --metrics ,", r"--metrics names nothing to measure; give l1,lpips,fid"),
    ("pix2pix_losses --dataroot x --n_epochs 5", r"unknown word '--n_epochs'; flags of train.py come after --"),
    ("pix2pix_losses --dataroot x -- --lambda_L1 5", r"--lambda_L1 is what the rows of pix2pix_losses differ in"),
    ("pix2pix_losses --dataroot x -- --seed=5", r"--seed for train.py is set by ablate.py; give it before --"),
    ("pix2pix_losses --dataroot x -- --which_direction BtoA", r"--direction for train.py is set by ablate.py"),
    (
        "pix2pix_architecture --dataroot x -- --which_model_netG unet_64",
        r"--netG is what the rows of pix2pix_architecture differ in",
    ),
    ("pix2pix_losses --dataroot x --metrics l1,nice", r"unknown metric 'nice'"),
    (
        "cycle_gan_losses --dataroot x --metrics l1,fid",
        r"the metric l1 cannot be measured: --dataset_mode unaligned has no pairs; measured can be histogram, fid",
    ),
    (
        "pix2pix_losses --dataroot x --metrics cycle",
        r"the metric cycle cannot be measured: --model pix2pix does not translate back; measured can be",
    ),
    ("pix2pix_losses --dataroot x --metrics labels", r"label maps need --palette"),
    ("pix2pix_losses --dataroot x --metrics segmented -- -- --palette facades", r"segmented needs --segmenter"),
    ("pix2pix_losses --dataroot x -- -- --label fake_B", r"--label fake_B chooses among a folder of images"),
    ("pix2pix_losses --dataroot x -- -- --metrics kid", r"--metrics for evaluate.py is set by ablate.py"),
    ("pix2pix_losses --dataroot x -- -- --output o", r"--output for evaluate.py is set by ablate.py"),
    ("pix2pix_losses --dataroot x -- --preset nice", r"unknown preset 'nice'"),
    ("pix2pix_losses --dataroot x --direction up", r"--direction: invalid choice: 'up'"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED, ids=[words for words, _ in REFUSED])
def test_a_mistake_is_one_sentence(words: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        planned(words)


def test_what_train_refuses_is_refused_before_the_first_run(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        planned("pix2pix_losses --dataroot x -- --n_epoch 5")
    assert "unknown flag '--n_epoch'; did you mean '--n_epochs'" in capsys.readouterr().err


def test_what_evaluate_refuses_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        planned("pix2pix_losses --dataroot x -- -- --metric_weight w")
    said = capsys.readouterr().err
    assert "evaluate.py: error: unknown flag '--metric_weight'; did you mean '--metric_weights'" in said
