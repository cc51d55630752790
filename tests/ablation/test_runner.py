"""What is run, put on record, left out the next time, refused, or has failed; nothing is learned here."""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ablation.child import FailedError
from ablation.child import run as run_child
from ablation.runner import run_table
from ablation.tables import read_table
from options.ablate import AblateOptions, parse_ablate
from options.errors import UserError
from tests.ablation.driver import evaluate
from tests.conftest import RunCli

EPOCH = "--n_epochs 1 --n_epochs_decay 0"


class Fake:
    """Trains nothing and gives scores by the run's name."""

    def __init__(self, **values: float) -> None:
        self.values, self.calls = values, list[tuple[str, str]]()
        self.failing: set[str] = set()

    def __call__(self, program: str, words: Sequence[str], log: Path) -> None:
        name = log.stem
        self.calls.append((program, name))
        if name in self.failing:
            raise FailedError("the discriminator went home")
        if program == "evaluate.py":
            log.with_suffix("").mkdir(exist_ok=True)
            evaluate(words, self.values.get(name, 1.0))


def options(folder: Path, words: str = "", train: str = EPOCH) -> AblateOptions:
    line = f"pix2pix_losses --dataroot x --seeds 2 --only L1,L1+cGAN --checkpoints_dir {folder} {words} -- {train}"
    return parse_ablate(line.split())


def results(folder: Path) -> Any:
    return json.loads((folder / "pix2pix_losses" / "results.json").read_text())


LOSSES = read_table("pix2pix_losses")


class TestRecord:
    def test_scores_seconds_and_the_order_are_written(self, tmp_path: Path) -> None:
        fake = Fake(L1_seed0=4, L1_seed1=5, **{"L1-cGAN_seed0": 1, "L1-cGAN_seed1": 2})
        assert run_table(LOSSES, options(tmp_path), fake) == []
        found = results(tmp_path)
        assert found["table"] == "pix2pix_losses"
        run = found["runs"]["L1-cGAN_seed1"]
        assert (run["row"], run["seed"], run["trained"], run["evaluator"]) == ("L1+cGAN", 1, True, {"phase": "test"})
        assert run["scores"]["fid"] == {"value": 2, "better": "lower"}
        assert run["settings"]["n_epochs"] == 1
        assert run["train_seconds"] >= 0
        assert run["evaluate_seconds"] >= 0
        assert found["means"]["fid"]["L1"]["value"] == 4.5
        ((pair,),) = found["order"]["fid"].values()
        assert pair == {"first": "L1+cGAN", "second": "L1", "verdict": "as published"}
        assert "| L1+cGAN " in (tmp_path / "pix2pix_losses" / "results.md").read_text()

    def test_of_two_generators_each_has_its_evaluator(self, tmp_path: Path) -> None:
        def run(program: str, words: Sequence[str], log: Path) -> None:
            if program == "evaluate.py":
                output = Path(words[words.index("--output") + 1])
                output.parent.mkdir(exist_ok=True)
                scores = {f"fid_{name}": {"value": 1.0, "better": "lower"} for name in ("G_A", "G_B")}
                parts = {name: {"evaluator": {"images": number}} for number, name in enumerate(("G_A", "G_B"))}
                output.write_text(json.dumps({"scores": scores, "generators": parts}))

        assert run_table(LOSSES, options(tmp_path), run) == []
        entry = results(tmp_path)["runs"]["L1_seed0"]
        assert entry["evaluator"] == {"G_A": {"images": 0}, "G_B": {"images": 1}}

    def test_what_is_done_is_not_done_again(self, tmp_path: Path) -> None:
        run_table(LOSSES, options(tmp_path), Fake())
        again = Fake()
        run_table(LOSSES, options(tmp_path), again)
        assert again.calls == []

    def test_more_seeds_and_rows_are_added(self, tmp_path: Path) -> None:
        run_table(LOSSES, options(tmp_path), Fake())
        again = Fake()
        run_table(LOSSES, options(tmp_path, "--seeds 1 --only GAN"), again)
        assert again.calls == [("train.py", "GAN_seed0"), ("evaluate.py", "GAN_seed0")]
        assert len(results(tmp_path)["runs"]) == 5

    @pytest.mark.parametrize("words", ["--metrics l1", "--phase val"])
    def test_another_evaluation_trains_nothing(self, words: str, tmp_path: Path) -> None:
        run_table(LOSSES, options(tmp_path), Fake())
        again = Fake()
        run_table(LOSSES, options(tmp_path, words), again)
        assert {program for program, _ in again.calls} == {"evaluate.py"}
        assert len(again.calls) == 4

    @pytest.mark.parametrize("words", ["", "--only GAN"])
    def test_other_flags_do_not_mix_into_a_table(self, words: str, tmp_path: Path) -> None:
        run_table(LOSSES, options(tmp_path), Fake())
        with pytest.raises(UserError, match="L1_seed0 was trained with --n_epochs 1, not 2; give the same flags again"):
            run_table(LOSSES, options(tmp_path, words, "--n_epochs 2 --n_epochs_decay 0"), Fake())

    def test_how_it_is_computed_may_change(self, tmp_path: Path) -> None:
        run_table(LOSSES, options(tmp_path), Fake())
        again = Fake()
        run_table(LOSSES, options(tmp_path, "", f"--num_threads 2 --gpu_ids -1 --print_freq 1 {EPOCH}"), again)
        assert again.calls == []

    def test_overwrite_starts_anew(self, tmp_path: Path) -> None:
        run_table(LOSSES, options(tmp_path), Fake())
        weights = tmp_path / "pix2pix_losses" / "L1_seed0" / "latest_net_G.pth"
        weights.touch()
        again = Fake()
        run_table(LOSSES, options(tmp_path, "--overwrite", "--n_epochs 2 --n_epochs_decay 0"), again)
        assert len(again.calls) == 8
        assert not weights.exists()
        assert results(tmp_path)["runs"]["L1_seed0"]["settings"]["n_epochs"] == 2

    def test_a_damaged_record_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "pix2pix_losses").mkdir()
        (tmp_path / "pix2pix_losses" / "results.json").write_text("{")
        with pytest.raises(UserError, match=r"cannot read .*results.json .*; repair or remove the file"):
            run_table(LOSSES, options(tmp_path), Fake())


class TestFailures:
    def test_one_run_does_not_stop_the_others_and_is_tried_again(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        fake = Fake()
        fake.failing = {"L1_seed0"}
        with caplog.at_level(logging.WARNING):
            assert run_table(LOSSES, options(tmp_path), fake) == ["L1_seed0: the discriminator went home"]
        assert "L1, seed 0 failed: the discriminator went home (all of it: " in caplog.text
        assert len(fake.calls) == 7
        again = Fake()
        assert run_table(LOSSES, options(tmp_path), again) == []
        assert again.calls == [("train.py", "L1_seed0"), ("evaluate.py", "L1_seed0")]

    def test_an_evaluator_without_scores_is_one(self, tmp_path: Path) -> None:
        complaints = run_table(LOSSES, options(tmp_path), lambda program, words, log: None)
        assert len(complaints) == 4
        assert "evaluate.py left no scores in" in complaints[0]
        assert results(tmp_path)["runs"]["L1_seed0"]["trained"]

    def test_what_a_program_says_last_is_the_reason(self, tmp_path: Path) -> None:
        program, log = tmp_path / "program.py", tmp_path / "log"
        program.write_text("import sys; print('hello', sys.argv[1:]); sys.exit('it rains')")
        log.write_text("earlier words\n")
        with pytest.raises(FailedError, match="^it rains$"):
            run_child(str(program), ["--nothing"], log)
        assert log.read_text() == "earlier words\nhello ['--nothing']\nit rains\n"

    def test_one_that_says_nothing_has_its_exit_code(self, tmp_path: Path) -> None:
        program = tmp_path / "program.py"
        program.write_text("raise SystemExit(3)")
        (tmp_path / "log").write_text("earlier words\n")
        with pytest.raises(FailedError, match="^exit code 3$"):
            run_child(str(program), [], tmp_path / "log")


def test_the_command_lists_the_tables(run_cli: RunCli) -> None:
    assert "pix2pix_patch_size: how large a patch" in run_cli("ablate", ["--list"]).stdout
