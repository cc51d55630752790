"""Validation in a training: what is measured, the curves, the best weights, the end of a training that stands still."""

import json
import re
from pathlib import Path

import pytest
import torch
from PIL import Image

from models.schedule import is_over, since_best
from options.training import OptimOptions
from tests.conftest import RunCli
from tests.refusals import refused
from tests.same_runs import state_of
from tests.shards import write_shards
from util.progress import Progress

PIX2PIX = ("--model", "pix2pix", "--netG", "resnet_1blocks", "--norm", "instance", "--name", "run", "--no_html")


def scores_of(run: str) -> list[dict[str, object]]:
    lines = (Path("checkpoints") / run / "metrics.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line.get("deciding")]


def test_the_scores_are_those_of_evaluate(aligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = [*tiny, "--n_epochs", 3, "--val_freq", 2, "--val_metrics", "l1,psnr", "--best_metric", "psnr"]
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *flags])
    assert done.code == 0, done.stderr
    second, last = scores_of("run")  # after epoch 2, and after the last one
    assert [second["epoch"], last["epoch"]] == [2, 3]
    assert set(last["scores"]) == {"l1", "psnr"}  # type: ignore[arg-type]
    assert last["deciding"] == "psnr"
    assert last["worth"] == -last["scores"]["psnr"]  # type: ignore[index]  # more is better
    assert state_of("run")["progress"]["metrics"] == [second["worth"], last["worth"]]
    done = run_cli("evaluate", ["run", "--dataroot", aligned_root, "--phase", "val", "--metrics", "l1,psnr"])
    assert done.code == 0, done.stderr
    written = json.loads(Path("results/run/val_latest/metrics.json").read_text())
    for name, value in last["scores"].items():  # type: ignore[attr-defined]
        assert written["scores"][name]["value"] == pytest.approx(value, rel=1e-6)


def test_every_real_image_counts_once_in_the_first_validation_too(
    aligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    flags = [*tiny, "--val_freq", 1, "--val_metrics", "histogram"]
    assert run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *flags]).code == 0
    assert (
        run_cli("evaluate", ["run", "--dataroot", aligned_root, "--phase", "val", "--metrics", "histogram"]).code == 0
    )
    written = json.loads(Path("results/run/val_latest/metrics.json").read_text())["scores"]
    (only,) = scores_of("run")
    assert only["scores"] == {name: pytest.approx(score["value"]) for name, score in written.items()}


def test_a_validation_leaves_no_trace_in_the_training(aligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--n_epochs", 2, "--norm", "batch", "--dropout"]
    assert run_cli("train", [*flags, "--name", "without"]).code == 0
    assert run_cli("train", [*flags, "--name", "with", "--val_freq", 1]).code == 0
    one, other = state_of("without"), state_of("with")
    for network, values in one["networks"].items():
        for key, value in values.items():
            assert torch.equal(value, other["networks"][network][key]), (network, key)
    assert len(other["progress"]["metrics"]) == 2


def test_the_best_weights_are_kept_under_their_name(
    aligned_root: Path, tiny: list[str], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.5, 0.3, 0.4])
    monkeypatch.setattr("models.validation.Validation._scores", lambda *given: {"l1": next(values)})
    flags = ["--n_epochs", 3, "--val_freq", 1, "--save_epoch_freq", 1]
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *tiny, *flags])
    assert done.code == 0, done.stderr
    assert "validation of epoch 2: l1 0.3000 (the best so far)" in done.stdout
    best, second, last = (
        torch.load(f"checkpoints/run/{prefix}_net_G.pth", weights_only=True) for prefix in ("best", "2", "3")
    )
    assert all(torch.equal(best[key], second[key]) for key in best)
    assert not all(torch.equal(best[key], last[key]) for key in best)
    done = run_cli("test", ["--name", "run", "--dataroot", aligned_root, "--epoch", "best"])
    assert done.code == 0, done.stderr
    assert Path("results/run/test_best/index.html").exists()


def test_a_training_ends_when_nothing_has_got_better_for_so_long_and_stays_ended(
    aligned_root: Path, tiny: list[str], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([0.5, 0.4, 0.41, 0.4])
    monkeypatch.setattr("models.validation.Validation._scores", lambda *given: {"l1": next(values)})
    flags = ["--n_epochs", 9, "--val_freq", 1, "--patience", 2]
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *tiny, *flags])
    assert done.code == 0, done.stderr
    assert "the training ends: no better l1 in 2 validations (--patience)" in done.stdout
    state = state_of("run")
    assert (state["progress"]["epoch"], state["progress"]["seen_in_epoch"]) == (5, 0)
    assert Path("checkpoints/run/4_net_G.pth").exists()  # saved, though neither a fifth epoch nor the last one
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX[4:], *tiny, "--name", "run", "--resume", "auto"])
    assert done.code == 0, done.stderr
    assert state_of("run")["progress"]["epoch"] == 5


@pytest.mark.parametrize(
    ("metrics", "waited"), [([], 0), ([1.0], 0), ([1.0, 2.0], 1), ([2.0, 1.0, 1.0], 1), ([3.0, 2.0, 1.0], 0)]
)
def test_how_long_ago_the_best_was(metrics: list[float], waited: int) -> None:
    assert since_best(metrics) == waited
    for patience in (1, 2):
        over = is_over(OptimOptions(), Progress(metrics=metrics), patience)
        assert over is (waited >= patience)
    assert not is_over(OptimOptions(), Progress(metrics=metrics), 0)


def test_averaged_weights_and_raw_ones_are_both_measured(aligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = [*tiny, "--n_epochs", 2, "--val_freq", 1, "--ema", 0.9, "--lr", 0.01]
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *flags])
    assert done.code == 0, done.stderr
    last = scores_of("run")[-1]
    assert set(last["scores"]) == {"l1", "l1_raw"}  # type: ignore[arg-type]
    found = {}
    for ema in (0, 0.9):
        output = f"{ema}.json"
        words = ["run", "--dataroot", aligned_root, "--phase", "val", "--metrics", "l1", "--ema", ema]
        assert run_cli("evaluate", [*words, "--output", output]).code == 0
        found[ema] = json.loads(Path(output).read_text())["scores"]["l1"]["value"]
    assert last["scores"]["l1_raw"] == pytest.approx(found[0], rel=1e-6)  # type: ignore[index]
    assert last["scores"]["l1"] == pytest.approx(found[0.9], rel=1e-6)  # type: ignore[index]
    assert last["worth"] == last["scores"]["l1"]  # type: ignore[index]


def test_cycle_gan_measures_both_ways_back(unaligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = [*tiny, "--netG", "resnet_1blocks", "--name", "run", "--val_freq", 1]
    assert run_cli("train", ["--dataroot", unaligned_root, *flags]).code == 0
    (only,) = scores_of("run")
    assert set(only["scores"]) == {"cycle_G_A", "cycle_G_B"}  # type: ignore[arg-type]
    assert only["worth"] == pytest.approx(sum(only["scores"].values()) / 2)  # type: ignore[attr-defined]


class TestHeldOut:
    @pytest.fixture
    def many(self, tmp_path: Path) -> Path:
        """20 pairs to train with, and none held out."""
        folder = tmp_path / "many" / "train"
        folder.mkdir(parents=True)
        for number in range(20):
            Image.new("RGB", (80, 36), (12 * number, 255 - 12 * number, 0)).save(folder / f"{number}.png")
        return folder.parent

    def test_a_share_of_the_training_images_is_neither_learned_from_nor_lost(
        self, many: Path, tiny: list[str], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from data.base import TranslationDataset

        read: dict[bool, set[str]] = {True: set(), False: set()}
        attempt = TranslationDataset._attempt

        def watched(self: TranslationDataset, epoch: int, index: int) -> object:
            read[self._held_out].add(Path(self.path("A", index)).name)
            return attempt(self, epoch, index)

        monkeypatch.setattr(TranslationDataset, "_attempt", watched)
        flags = [*PIX2PIX, *tiny, "--val_freq", 1, "--val_share", 0.2, "--display_samples", 2, "--no_data_check"]
        done = run_cli("train", ["--dataroot", many, *flags])
        assert done.code == 0, done.stderr
        assert "The number of training images = 16" in done.stdout
        assert (len(read[False]), len(read[True])) == (16, 4)
        assert not read[False] & read[True]
        assert len(read[False] | read[True]) == 20

    def test_the_number_that_is_measured_can_be_limited(self, many: Path, tiny: list[str], run_cli: RunCli) -> None:
        flags = [*PIX2PIX, *tiny, "--val_freq", 1, "--val_share", 0.5, "--val_size", 2, "--val_metrics", "l1"]
        done = run_cli("train", ["--dataroot", many, *flags, "--max_dataset_size", 12])
        assert done.code == 0, done.stderr
        assert "The number of training images = 6" in done.stdout

    def test_shards_cannot_be_split(self, tmp_path: Path, tiny: list[str], run_cli: RunCli) -> None:
        write_shards(tmp_path / "shards" / "train", [4, 4])
        flags = ["--dataroot", tmp_path / "shards", "--dataset_mode", "webdataset", *PIX2PIX, *tiny]
        refused(run_cli("train", [*flags, "--val_freq", 1, "--val_share", 0.5]), "cannot take images out of shards")

    def test_the_parts_hardly_change_when_an_image_is_added(self) -> None:
        from data.held_out import rows_of

        names = [f"image {number}" for number in range(100)]
        held = {names[row] for row in rows_of(names, 0.1, held_out=True)}
        more = ["another", *names]
        held_now = {more[row] for row in rows_of(more, 0.1, held_out=True)}
        assert len(held) == len(held_now) == 10
        assert len(held - held_now) <= 1
        rest = rows_of(names, 0.1, held_out=False)
        assert len(rest) == 90
        assert rest == sorted(rest)

    @pytest.mark.parametrize(("count", "share", "held"), [(2, 0.01, 1), (2, 0.99, 1), (10, 0.34, 3)])
    def test_both_parts_have_at_least_one_image(self, count: int, share: float, held: int) -> None:
        from data.held_out import rows_of

        assert len(rows_of([str(n) for n in range(count)], share, held_out=True)) == held


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
def test_what_cannot_be_measured_is_a_sentence(
    flags: str, words: str, aligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--val_freq", 1, *flags.split()])
    refused(done, words)
    assert not re.search(r"\(epoch: 1", done.stdout)


def test_a_metric_that_the_images_are_too_small_for_is_named_and_left_out(
    aligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    flags = [*tiny, "--val_freq", 1, "--val_metrics", "ms_ssim,l1", "--best_metric", "l1"]
    done = run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *flags])
    assert done.code == 0, done.stderr
    assert "validation: ms_ssim needs images of at least" in done.stdout + done.stderr
    assert set(scores_of("run")[0]["scores"]) == {"l1"}  # type: ignore[arg-type]


def test_sets_of_unequal_size_are_measured_once_each(unaligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    for number in range(3):
        Image.new("RGB", (40, 36), (10, 200, 0)).save(unaligned_root / "valB" / f"extra{number}.png")
    flags = [*tiny, "--netG", "resnet_1blocks", "--name", "run", "--val_freq", 1]
    done = run_cli("train", ["--dataroot", unaligned_root, *flags])
    assert done.code == 0, done.stderr
    assert set(scores_of("run")[0]["scores"]) == {"cycle_G_A", "cycle_G_B"}  # type: ignore[arg-type]


def test_cut_is_measured_as_a_set(unaligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = ["--dataroot", unaligned_root, "--model", "cut", *tiny, "--netG", "resnet_1blocks", "--name", "run"]
    refused(run_cli("train", [*flags, "--val_freq", 1]), "--model cut has neither pairs nor a way back")
    done = run_cli("train", [*flags, "--val_freq", 1, "--val_metrics", "histogram"])
    assert done.code == 0, done.stderr
    (only,) = scores_of("run")
    assert set(only["scores"]) == {"histogram_L", "histogram_a", "histogram_b"}  # type: ignore[arg-type]


def test_one_direction_can_decide(unaligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = [*tiny, "--netG", "resnet_1blocks", "--name", "run", "--val_freq", 1, "--best_metric", "cycle_G_B"]
    done = run_cli("train", ["--dataroot", unaligned_root, *flags])
    assert done.code == 0, done.stderr
    (only,) = scores_of("run")
    assert only["worth"] == only["scores"]["cycle_G_B"]  # type: ignore[index]


def test_scores_of_another_kind_are_not_compared(aligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    first = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--val_freq", 1]
    assert run_cli("train", first).code == 0
    again = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--n_epochs", 2, "--continue_train", "--val_metrics", "psnr"]
    done = run_cli("train", again)
    assert done.code == 0, done.stderr
    told = done.stdout + done.stderr
    assert re.search("what is the best so far starts anew: it was told by l1 of val.*and now by psnr of val", told)
    (metric,) = state_of("run")["progress"]["metrics"]
    assert metric < 0


def test_a_state_that_does_not_say_what_decided_is_taken_up(
    aligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    flags = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--val_freq", 1]
    assert run_cli("train", flags).code == 0
    path = Path("checkpoints/run/latest_state.pth")
    state = torch.load(path, weights_only=True)
    del state["progress"]["deciding"]
    torch.save(state, path)
    done = run_cli("train", [*flags, "--n_epochs", 2, "--continue_train"])
    assert done.code == 0, done.stderr
    assert "an older version's score" in done.stdout + done.stderr


def test_a_run_that_patience_ended_says_so_when_it_is_taken_up(
    aligned_root: Path, tiny: list[str], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("models.validation.Validation._scores", lambda *given: {"l1": 0.5})
    flags = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--n_epochs", 9, "--val_freq", 1]
    assert run_cli("train", [*flags, "--patience", 1]).code == 0
    assert state_of("run")["progress"]["epoch"] == 3
    done = run_cli("train", [*flags, "--continue_train"])
    assert "the run was ended by --patience 1; raise it to train on" in done.stdout + done.stderr
    done = run_cli("train", [*flags, "--continue_train", "--patience", 3])
    assert done.code == 0, done.stderr
    assert state_of("run")["progress"]["epoch"] == 5


def test_a_held_out_image_that_breaks_later_costs_nothing_that_was_learned(
    aligned_root: Path, tiny: list[str], run_cli: RunCli
) -> None:
    bad = sorted((aligned_root / "val").iterdir())[1]
    bad.write_bytes(bad.read_bytes()[:100])
    flags = ["--dataroot", aligned_root, *PIX2PIX, *tiny, "--val_freq", 1, "--display_samples", 0]
    refused(run_cli("train", flags), f"the validation failed: .*{bad.name}")
    assert state_of("run")["progress"]["images_seen"] == 3
    done = run_cli("train", [*flags, "--continue_train", "--on_bad_image", "skip", "--n_epochs", 2])
    assert done.code == 0, done.stderr
    assert len(scores_of("run")) >= 1


def test_a_score_that_is_no_number_is_never_the_best(
    aligned_root: Path, tiny: list[str], run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter([float("nan"), 0.4, float("nan")])
    monkeypatch.setattr("models.validation.Validation._scores", lambda *given: {"l1": next(values)})
    flags = ["--n_epochs", 3, "--val_freq", 1, "--patience", 2]
    assert run_cli("train", ["--dataroot", aligned_root, *PIX2PIX, *tiny, *flags]).code == 0
    assert state_of("run")["progress"]["metrics"] == [float("inf"), 0.4, float("inf")]
    assert Path("checkpoints/run/best_net_G.pth").exists()


def test_unpaired_images_have_no_pairs_to_measure(unaligned_root: Path, tiny: list[str], run_cli: RunCli) -> None:
    flags = [*tiny, "--netG", "resnet_1blocks", "--val_freq", 1, "--val_metrics", "l1"]
    refused(run_cli("train", ["--dataroot", unaligned_root, *flags]), "l1 cannot be measured.*unaligned has no pairs")
