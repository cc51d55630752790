"""Which commands a table comes to, and what is refused before the first is run."""

import pytest

from ablation.plan import Job, plan
from ablation.runner import commands
from ablation.tables import read_table
from options.ablate import parse_ablate
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
        "--batch_size 4 --output runs/pix2pix_losses/L1_seed0/figures.json"
    )


def test_a_preset_may_be_the_base() -> None:
    (job,) = jobs_of("pix2pix_losses --dataroot x --seeds 1 --only GAN -- --preset facades")
    assert (job.settings["n_epochs"], job.settings["direction"], job.settings["lambda_L1"]) == (200, "BtoA", 0)


REFUSED = [
    ("", r"TABLE is missing; --list shows them"),
    ("pix2pix_losses", r"--dataroot is missing; give the folder of images, such as --dataroot ./datasets/facades"),
    ("pix2pix_losses --dataroot x --seeds 0", r"--seeds 0 is too small"),
    ("pix2pix_losses --dataroot x --metrics ,", r"--metrics names nothing to measure; give l1,lpips,fid"),
    ("pix2pix_losses --dataroot x --n_epochs 5", r"unknown word '--n_epochs'; flags of train.py come after --"),
    ("pix2pix_losses --dataroot x -- --lambda_L1 5", r"--lambda_L1 is what the rows of pix2pix_losses differ in"),
    ("pix2pix_losses --dataroot x -- --seed=5", r"--seed for train.py is set by ablate.py; give it before --"),
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
