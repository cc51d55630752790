"""Which options a resume keeps, changes and refuses, and what it says about them."""

import logging
import math
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
import torch

from options.cli import parse_train
from options.flag import as_typed, flags_of
from options.schema import TRAIN_TABLES
from options.stored import as_json, flatten
from tests.conftest import RunCli
from tests.options.parsed import ROOT, for_train, refused, unread

FLAGS = {name: flag for table in TRAIN_TABLES.values() for name, flag in flags_of(table).items()}
FIXED = {name for name, flag in FLAGS.items() if flag.fixed}


def stored(words: str = "") -> dict[str, Any]:
    """Return the options that a run started with these flags has stored."""
    return flatten(for_train(words))


def another(flag: str, value: Any) -> Any:
    """Return a value of a flag's type that it does not have yet."""
    kind = FLAGS[flag].kind
    if get_origin(kind) is Literal:
        return next(choice for choice in get_args(kind) if choice != value)
    return f"{value}x" if kind is str else not value if kind is bool else value * 2 + 1


@pytest.fixture
def changed(caplog: pytest.LogCaptureFixture) -> Any:
    """Continue a run with some flags; return what is said to have changed."""

    def run(words: str, options: dict[str, Any]) -> list[str]:
        with caplog.at_level(logging.INFO):
            for_train(f"--continue_train {words}", options)
        marker = "changed since the run was stopped: "
        return [text.removeprefix(marker) for text in caplog.messages if text.startswith(marker)]

    return run


class TestChanges:
    @pytest.mark.parametrize(
        ("before", "words", "said"),
        [
            ("", "--batch_size 4", ["--batch_size 1 -> 4"]),
            ("", "--batchSize 4", ["--batch_size 1 -> 4"]),
            ("", "--no_flip", ["--no_flip false -> true"]),
            ("", "--lambda_A 5", ["--lambda_A 10.0 -> 5.0"]),  # a flag of the model alone
            ("--max_dataset_size 7", "--max_dataset_size inf", ["--max_dataset_size 7 -> inf"]),
            ("", "--max_dataset_size 7", ["--max_dataset_size inf -> 7"]),
            ("", "--display_env mine", ["--display_env '' -> mine"]),
            ("", "--lr 0.001 --beta1 0.9", ["--beta1 0.5 -> 0.9", "--lr 0.0002 -> 0.001"]),
            ("--no_lsgan", "--gan_mode lsgan", ["--gan_mode vanilla -> lsgan"]),
        ],
    )
    def test_each_is_said(self, before: str, words: str, said: list[str], changed: Any) -> None:
        assert changed(words, stored(before)) == said

    @pytest.mark.parametrize("words", ["", "--batch_size 2 --no_flip --lr 2e-3 --netG unet_32 --no_lsgan --seed 5"])
    def test_what_is_typed_again_is_none(self, words: str, changed: Any) -> None:
        assert changed(words, stored(words)) == []

    @pytest.mark.parametrize("words", ["", "--max_dataset_size inf"])
    def test_infinity_is_none_however_it_is_stored(self, words: str, changed: Any) -> None:
        assert stored()["max_dataset_size"] == math.inf
        assert as_json(stored())["max_dataset_size"] == "inf"
        assert changed(words, stored()) == []
        assert changed(words, as_json(stored())) == []

    def test_another_place_for_the_run_is_none(self, changed: Any) -> None:
        words = "--checkpoints_dir elsewhere --name other --verbose --epoch 3 --epoch_count 2"
        assert changed(words, stored("--name run")) == []


class TestFixedFlags:
    def test_they_are_what_networks_are_built_of_and_more(self) -> None:
        assert {"netG", "ngf", "num_D", "norm", "no_dropout", "direction", "seed", "init_from"} <= FIXED
        assert not FIXED & {"lr", "beta1", "batch_size", "n_epochs", "load_size", "num_threads", "gan_mode"}

    @pytest.mark.parametrize("going_on", ["--continue_train", "--resume auto"])
    @pytest.mark.parametrize("flag", sorted(FIXED))
    def test_each_is_refused_with_the_value_of_the_run(
        self, flag: str, going_on: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        run = stored()
        typed = f"--{flag} {as_typed(another(flag, run[flag]))}"
        line = refused(f"{going_on} --name horses {typed}", capsys, run)
        assert f"{typed} cannot continue this run, which has --{flag} {as_typed(run[flag]) or repr('')};" in line
        assert "--init_from horses" in line

    @pytest.mark.parametrize("flag", sorted(FIXED - {"init_from"}))
    def test_each_may_be_typed_as_it_was(self, flag: str) -> None:
        run = stored()
        words = f"--continue_train --{flag} {as_typed(run[flag])}"
        assert flatten(for_train(words, run))[flag] == run[flag]

    def test_the_networks_that_a_run_started_from_may_be_typed_again(self) -> None:
        words = [*ROOT, "--init_from", "old", "--resume", "auto"]
        run = flatten(parse_train(words))
        assert parse_train(words, stored=lambda _: run, source=unread).start.continue_train

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            (
                "--lambda_GAN 0",
                "--lambda_GAN 0.0 cannot continue this run, which has --lambda_GAN 1.0, as other networks",
            ),
            ("--netD pixel", "a discriminator pixel of 0 layers cannot continue this run, which has basic of 3"),
            ("--patch_size 16", "a discriminator n_layers of 1 layers cannot continue this run"),
        ],
    )
    def test_other_networks_are_refused(self, words: str, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
        assert sentence in refused(f"--continue_train {words}", capsys, stored())

    def test_what_names_the_same_discriminator_is_not(self) -> None:
        assert for_train("--continue_train --patch_size 70", stored()).net.discriminator.layers == 3

    def test_they_are_free_where_the_run_has_stored_nothing(self) -> None:
        assert for_train("--continue_train --ngf 8", {}).net.ngf == 8


class TestSwitches:
    @pytest.mark.parametrize(
        ("before", "words", "after"),
        [
            ("--no_flip", "", True),
            ("--no_flip", "--no_flip false", False),
            ("--no_flip", "--no_flip False", False),
            ("--no_flip", "--no_flip=false", False),
            ("", "--no_flip", True),
            ("", "--no_flip true", True),
            ("", "--no_flip --batch_size 2", True),
            ("", "--no_flip false --no_flip", True),
        ],
    )
    def test_a_word_after_it_can_undo_it(self, before: str, words: str, after: bool) -> None:
        assert for_train(f"--continue_train {words}", stored(before)).data.no_flip is after

    def test_every_switch_can_be_undone(self) -> None:
        switches = {name for name, flag in FLAGS.items() if flag.default is False}
        free = sorted(switches - FIXED - {"continue_train", "overwrite"})
        on = " ".join(f"--{name}" for name in free)
        off = " ".join(f"--{name} false" for name in free)
        options = flatten(for_train(f"--continue_train {off}", stored(on)))
        assert {name for name in free if options[name]} == set()


class TestAuto:
    def test_without_a_run_it_starts_one(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.INFO):
            opt = for_train("--resume auto --batch_size 4", {})
        assert "changed" not in caplog.text
        assert (opt.start.continue_train, opt.data.batch_size) == (False, 4)

    def test_with_a_run_it_goes_on_with_all_its_options(self) -> None:
        run = stored("--model pix2pix --batch_size 4 --lambda_L1 7")
        opt = for_train("--resume auto", run)
        assert (opt.start.continue_train, opt.run.model, opt.data.batch_size) == (True, "pix2pix", 4)
        assert opt.own.lambda_L1 == 7

    def test_it_is_not_taken_over_by_a_resume(self) -> None:
        assert for_train("--continue_train", stored("--resume auto")).start.resume == "off"

    @pytest.mark.parametrize("run", [{}, stored()], ids=["no run", "a run"])
    @pytest.mark.parametrize("words", ["--epoch 5", "--load_iter 100"])
    def test_it_cannot_choose_an_older_save(
        self, words: str, run: dict[str, Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = refused(f"--resume auto {words}", capsys, run)
        assert f"{words.split()[0]} has no effect without --continue_train" in line

    @pytest.mark.parametrize("run", [{}, stored()], ids=["no run", "a run"])
    @pytest.mark.parametrize("going_on", ["--continue_train", "--resume auto"])
    def test_nothing_goes_on_with_what_it_deletes(
        self, going_on: str, run: dict[str, Any], capsys: pytest.CaptureFixture[str]
    ) -> None:
        line = refused(f"{going_on} --overwrite", capsys, run)
        assert "--overwrite starts anew" in line
        assert f"--{going_on.split()[0].strip('-')}" in line


def test_changed_options_reach_the_optimizers(run_cli: RunCli, trained: Path) -> None:
    changes = ["--beta1 0.5 -> 0.75", "--lr 0.0002 -> 0.001", "--n_epochs 1 -> 2", "--no_html false -> true"]
    words = "--name cg --continue_train --n_epochs 2 --beta1 0.75 --lr 0.001 --no_html"
    done = run_cli("train", words.split())
    assert done.code == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if " -> " in line and "--" in line] == [
        f"changed since the run was stopped: {change}" for change in changes
    ]
    optimizers = torch.load(trained / "latest_state.pth", weights_only=True)["optimizers"].values()
    groups = [group for optimizer in optimizers for group in optimizer["param_groups"]]
    assert {(tuple(group["betas"]), group["lr"]) for group in groups} == {((0.75, 0.999), 0.001)}
