"""Validation in a training: what is measured, the curves, the best weights, the end of a training that stands still."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from models.schedule import is_over, since_best
from options.training import OptimOptions
from tests.conftest import Finished, RunCli
from tests.models.validated import Train, validations
from tests.models.validated import train as train
from tests.refusals import refused
from tests.same_runs import differences, state_of
from util.progress import Progress

Evaluate = Callable[..., dict[str, Any]]
Measure = Callable[..., None]


@pytest.fixture
def evaluate(run_cli: RunCli, aligned_root: Path) -> Evaluate:
    """Measure the run as ``evaluate.py`` does, on the same images; return the scores."""

    def run(metrics: str, flags: str = "") -> dict[str, Any]:
        words = ["run", "--dataroot", aligned_root, "--phase", "val", "--metrics", metrics, *flags.split()]
        done = run_cli("evaluate", [*words, "--output", "found.json"])
        assert done.code == 0, done.stderr
        return {name: one["value"] for name, one in json.loads(Path("found.json").read_text())["scores"].items()}

    return run


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Let validations find these numbers, one after the other, for the metric l1."""

    def run(*values: float) -> None:
        numbers = iter(values)
        monkeypatch.setattr("models.validation.Validation._scores", lambda *given: {"l1": next(numbers)})

    return run


def said(done: Finished) -> str:
    assert done.code == 0, done.stderr
    return done.stdout + done.stderr


def test_the_scores_are_those_of_evaluate(train: Train, evaluate: Evaluate) -> None:
    said(train("--n_epochs 3 --val_freq 2 --val_metrics l1,psnr --best_metric psnr"))
    second, last = validations()  # after epoch 2, and after the last one
    assert [second["epoch"], last["epoch"]] == [2, 3]
    assert last["deciding"] == "psnr"
    assert last["worth"] == -last["scores"]["psnr"]  # more is better
    assert state_of("run")["progress"]["metrics"] == [second["worth"], last["worth"]]
    assert last["scores"] == pytest.approx(evaluate("l1,psnr"), rel=1e-6)


def test_every_real_image_counts_once_in_the_first_validation_too(train: Train, evaluate: Evaluate) -> None:
    said(train("--val_metrics histogram"))
    (only,) = validations()
    assert only["scores"] == pytest.approx(evaluate("histogram"))


def test_averaged_weights_and_raw_ones_are_both_measured(train: Train, evaluate: Evaluate) -> None:
    said(train("--n_epochs 2 --ema 0.9 --lr 0.01"))
    last = validations()[-1]
    averaged, raw = (evaluate("l1", f"--ema {ema}")["l1"] for ema in (0.9, 0))
    assert last["scores"] == pytest.approx({"l1": averaged, "l1_raw": raw}, rel=1e-6)
    assert last["worth"] == last["scores"]["l1"]


def test_a_validation_leaves_no_trace_in_the_training(train: Train) -> None:
    for name, freq in (("without", 0), ("with", 1)):
        said(train(f"--n_epochs 2 --norm batch --dropout --val_freq {freq}", name=name))
    one, other = state_of("without"), state_of("with")
    assert differences(one["networks"], other["networks"]) == []
    assert len(other["progress"]["metrics"]) == 2


def test_the_best_weights_are_kept_under_their_name(
    train: Train, measuring: Measure, run_cli: RunCli, aligned_root: Path
) -> None:
    measuring(0.5, 0.3, 0.4)
    done = train("--n_epochs 3 --save_epoch_freq 1")
    assert "validation of epoch 2: l1 0.3000 (the best so far)" in said(done)
    best, second, last = (
        torch.load(f"checkpoints/run/{prefix}_net_G.pth", weights_only=True) for prefix in ("best", "2", "3")
    )
    assert differences(best, second) == []
    assert differences(best, last) != []
    said(run_cli("test", ["--name", "run", "--dataroot", aligned_root, "--epoch", "best"]))
    assert Path("results/run/test_best/index.html").exists()


def test_a_training_ends_when_nothing_has_got_better_for_so_long_and_stays_ended(
    train: Train, measuring: Measure
) -> None:
    measuring(0.5, 0.4, 0.41, 0.4)
    assert "the training ends: no better l1 in 2 validations (--patience)" in said(train("--n_epochs 9 --patience 2"))
    progress = state_of("run")["progress"]
    assert (progress["epoch"], progress["seen_in_epoch"]) == (5, 0)
    assert Path("checkpoints/run/4_net_G.pth").exists()  # saved, though neither a fifth epoch nor the last one
    said(train("--n_epochs 9 --resume auto"))
    assert state_of("run")["progress"]["epoch"] == 5


def test_a_run_that_patience_ended_says_so_when_it_is_taken_up(train: Train, measuring: Measure) -> None:
    measuring(*[0.5] * 9)
    said(train("--n_epochs 9 --patience 1"))
    assert state_of("run")["progress"]["epoch"] == 3
    done = train("--n_epochs 9 --continue_train")
    assert "the run was ended by --patience 1; raise it to train on" in said(done)
    said(train("--n_epochs 9 --continue_train --patience 3"))
    assert state_of("run")["progress"]["epoch"] == 5


def test_a_score_that_is_no_number_is_never_the_best(train: Train, measuring: Measure) -> None:
    measuring(float("nan"), 0.4, float("nan"))
    said(train("--n_epochs 3 --patience 2"))
    assert state_of("run")["progress"]["metrics"] == [float("inf"), 0.4, float("inf")]
    assert Path("checkpoints/run/best_net_G.pth").exists()


@pytest.mark.parametrize(
    ("metrics", "waited"), [([], 0), ([1.0], 0), ([1.0, 2.0], 1), ([2.0, 1.0, 1.0], 1), ([3.0, 2.0, 1.0], 0)]
)
def test_how_long_ago_the_best_was(metrics: list[float], waited: int) -> None:
    assert since_best(metrics) == waited
    for patience in (1, 2):
        over = is_over(OptimOptions(), Progress(metrics=metrics), patience)
        assert over is (waited >= patience)
    assert not is_over(OptimOptions(), Progress(metrics=metrics), 0)


def test_cycle_gan_measures_both_ways_back_also_of_sets_of_unequal_size(train: Train, unaligned_root: Path) -> None:
    for more in (0, 3):
        for number in range(more):
            Image.new("RGB", (40, 36), (10, 200, 0)).save(unaligned_root / "valB" / f"extra{number}.png")
        said(train("--overwrite", "cycle_gan"))
        (only,) = validations()
        assert set(only["scores"]) == {"cycle_G_A", "cycle_G_B"}
        assert only["worth"] == pytest.approx(sum(only["scores"].values()) / 2)


def test_one_direction_can_decide(train: Train) -> None:
    said(train("--best_metric cycle_G_B", "cycle_gan"))
    (only,) = validations()
    assert only["worth"] == only["scores"]["cycle_G_B"]


def test_cut_is_measured_as_a_set(train: Train) -> None:
    refused(train("", "cut"), "--model cut has neither pairs nor a way back")
    said(train("--val_metrics histogram", "cut"))
    (only,) = validations()
    assert set(only["scores"]) == {"histogram_L", "histogram_a", "histogram_b"}


def test_unpaired_images_have_no_pairs_to_measure(train: Train) -> None:
    refused(train("--val_metrics l1", "cycle_gan"), "l1 cannot be measured.*unaligned has no pairs")


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--val_metrics fidd", r"unknown metric 'fidd'; did you mean 'fid'"),
        ("--val_metrics cycle", r"the metric cycle cannot be measured: --model pix2pix does not translate back"),
        ("--best_metric l2", "--best_metric l2 is not measured; measured are l1"),
        ("--val_share 1", r"--val_share 1.0 is outside \[0, 1\)"),
        ("--val_phase nothing", r"validation needs held-out images.*--val_share 0.1"),
        ("--patience -1", r"--patience -1 is too small"),
        ("--val_metrics ms_ssim", "ms_ssim needs images of at least"),
        (
            "--val_metrics l1,ms_ssim --best_metric ms_ssim",
            "ms_ssim decides which weights are the best, but ms_ssim needs",
        ),
        ("--val_freq 0 --patience 3", "--patience 3 has no effect without --val_freq"),
        ("--val_freq 0 --val_metrics l1", "--val_metrics l1 has no effect without --val_freq"),
        ("--val_share 0.5 --val_phase val", "--val_share 0.5 takes the place of --val_phase"),
        ("--val_share 0.5 --max_dataset_size 1", "--val_share 0.5 cannot hold any of 1 image out"),
    ],
)
def test_what_cannot_be_measured_is_a_sentence(flags: str, words: str, train: Train) -> None:
    done = train(flags)
    refused(done, words)
    assert not re.search(r"\(epoch: 1", done.stdout)


def test_photos_are_compared_with_the_label_map_that_they_are_made_of(
    run_cli: RunCli, trained: Path, unaligned_root: Path, tmp_path: Path
) -> None:
    for side, colour in (("A", "red"), ("B", "blue")):
        for path in (unaligned_root / f"test{side}").iterdir():
            Image.new("RGB", (32, 32), colour).save(path)
    (tmp_path / "palette.txt").write_text("a 255,0,0\nb 0,0,255\n")
    always_a = torch.nn.Conv2d(3, 2, 1)
    torch.nn.init.zeros_(always_a.weight)
    always_a.bias = torch.nn.Parameter(torch.tensor([1.0, 0.0]))
    traced = torch.jit.trace(always_a, torch.zeros(1, 3, 32, 32))  # type: ignore[no-untyped-call]
    torch.jit.save(traced, "s.pt")
    words = ["--metrics", "segmented", "--palette", tmp_path / "palette.txt", "--segmenter", "s.pt"]
    done = run_cli("evaluate", [trained.name, "--dataroot", unaligned_root, *words, "--output", "found.json"])
    assert done.code == 0, done.stderr
    scores = json.loads(Path("found.json").read_text())["scores"]
    found = [scores[f"segmented_per_pixel_accuracy_{name}"]["value"] for name in ("G_A", "G_B")]
    assert found == [1, 0], "G_A is given red maps, G_B blue ones"


def test_a_metric_that_the_images_are_too_small_for_is_named_and_left_out(train: Train) -> None:
    done = train("--val_metrics ms_ssim,l1 --best_metric l1")
    assert "validation: ms_ssim needs images of at least" in said(done)
    assert set(validations()[0]["scores"]) == {"l1"}


def test_scores_of_another_kind_are_not_compared(train: Train) -> None:
    said(train())
    told = said(train("--n_epochs 2 --continue_train --val_metrics psnr"))
    assert re.search("what is the best so far starts anew: it was told by l1 of val.*and now by psnr of val", told)
    (metric,) = state_of("run")["progress"]["metrics"]
    assert metric < 0


def test_a_state_that_does_not_say_what_decided_is_taken_up(train: Train) -> None:
    said(train())
    state = state_of("run")
    del state["progress"]["deciding"]
    torch.save(state, "checkpoints/run/latest_state.pth")
    assert "an older version's score" in said(train("--n_epochs 2 --continue_train"))


def test_a_held_out_image_that_breaks_later_costs_nothing_that_was_learned(train: Train, aligned_root: Path) -> None:
    bad = sorted((aligned_root / "val").iterdir())[1]
    bad.write_bytes(bad.read_bytes()[:100])
    refused(train("--display_samples 0"), f"the validation failed: .*{bad.name}")
    assert state_of("run")["progress"]["images_seen"] == 3
    said(train("--display_samples 0 --continue_train --on_bad_image skip --n_epochs 2"))
    assert len(validations()) >= 1
