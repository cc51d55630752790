"""``benchmarks.parity``: real runs of ``train.py`` that differ in how they compute."""

import json
from pathlib import Path

import pytest

from benchmarks import parity


@pytest.mark.usefixtures("programs_here")
def test_figures_follow_the_seed_and_not_the_name(
    unaligned_root: Path, tiny: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    freed = {"--display_id", "--n_epochs", "--n_epochs_decay"}
    flags = [
        word for name, value in zip(tiny[::2], tiny[1::2], strict=True) if name not in freed for word in (name, value)
    ]
    file = tmp_path / "figures.json"
    ways = ["--ours", "a: --precision fp32", "--ours", "b: --precision fp32"]
    runs = ["--val_phase", "train", "--iterations", "4", "--epochs", "2", "--seeds", "1", "2", "--json", str(file)]
    parity.main(["--dataroot", str(unaligned_root), *flags, *runs, *ways])
    a, b = json.loads(file.read_text())["rows"]
    assert a["scores"] == b["scores"]
    assert a["scores"][0] != a["scores"][1]
    by_seed = ", ".join(f"{score:.5f}" for score in a["scores"])
    lines = capsys.readouterr().out.splitlines()
    assert [by_seed in line for line in lines] == [False, False, True, True]
    assert "+0.00000" in lines[-1]


def test_a_run_that_cannot_start_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"parity: error: .*there is no folder"):
        parity.main(["--dataroot", str(tmp_path / "nowhere"), "--seeds", "1"])
