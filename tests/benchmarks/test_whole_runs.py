"""``benchmarks.end_to_end``: real runs of ``train.py`` beside the bare step and another ``train.py``."""

import importlib.util
import json
from pathlib import Path

import pytest

from benchmarks import end_to_end, runs
from benchmarks.official import stand_ins
from benchmarks.rows import Cell
from benchmarks.sides import Side
from tests.benchmarks.fake_official import write_official
from tests.conftest import PROJECT


@pytest.mark.slow
def test_runs_bare_steps_and_the_official_code_take_turns(
    unaligned_root: Path,
    tiny: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(runs, "in_own_process", lambda module, words, **_: {"seconds": [0.5, 0.25, 0.1]})
    file = tmp_path / "figures.json"
    official = write_official(tmp_path / "official")
    freed = {
        "--load_size",
        "--crop_size",
        "--display_id",
        "--n_epochs",
        "--n_epochs_decay",
        "--print_freq",
        "--display_freq",
    }
    flags = [
        word for name, value in zip(tiny[::2], tiny[1::2], strict=True) if name not in freed for word in (name, value)
    ]
    sizes = ["--size", "32", "--images", "3", "--epochs", "2", "--rounds", "1", "--steps", "1", "--dashboard", "off"]
    end_to_end.main(
        ["--dataroot", str(unaligned_root), *sizes, "--official", str(official), "--json", str(file), *flags]
        + ["--netG", "resnet_1blocks"]
    )
    rows = {row["side"]: row for row in json.loads(file.read_text())["rows"]}
    assert list(rows) == ["ours, bare step", "ours", "official, bare step", "official"]
    assert [row["failure"] for row in rows.values()] == [""] * 4
    assert rows["ours, bare step"]["images_per_second"] == [4]
    bare, ours, theirs = (rows[name]["images_per_second"][0] for name in ("ours, bare step", "ours", "official"))
    assert rows["ours"]["time_over_bare"] == [bare / ours]
    assert rows["ours"]["time_ratios"] == [theirs / ours]
    assert "| ours " in capsys.readouterr().out
    assert not (PROJECT / "checkpoints" / "benchmark").exists()


def test_the_first_epoch_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    said = ["The number of training images = 6", "End of epoch 1 / 3", "(epoch: 2, ...)", "End of epoch 2 / 3"]
    lines = list(zip((1.0, 50.0, 51.0, 53.0, 54.0), [*said, "End of epoch 3 / 3"], strict=True))
    monkeypatch.setattr(runs, "lines_of", lambda *_, **__: lines)
    training = runs.Training(Cell("cycle_gan", 32, 1), "unused", 6, 3, [], 1, 0.0)
    assert training.run_rate(Side("ours")) == 2 * 6 / (54 - 50)


def test_epochs_of_incomplete_batches_are_refused() -> None:
    with pytest.raises(SystemExit, match="--images must be a multiple of --batch_size"):
        end_to_end.main(["--dataroot", "unused", "--images", "10", "--batch_size", "4"])


@pytest.mark.parametrize("installed", [True, False])
def test_the_official_code_gets_an_empty_package_only_where_it_is_missing(
    installed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if installed else None)
    assert str(tmp_path) in stand_ins(tmp_path)
    assert (tmp_path / "wandb.py").exists() is not installed
