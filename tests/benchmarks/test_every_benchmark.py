"""Each benchmark with sizes so small that its figures say nothing: its table, its JSON file, its place in the list."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from benchmarks import __main__ as front
from benchmarks import checkpoint, data, index, scaling, sinks, translating
from benchmarks.job import random_images
from benchmarks.ours import Steps
from tests.benchmarks.conftest import RunProgram
from tests.conftest import PROJECT
from tests.images import an_image, write
from tests.runs import make_run
from util.distributed import World

NETS = ["--netG", "resnet_1blocks", "--ngf", "4", "--ndf", "4", "--gpu_ids", "-1"]


def rows_of(module: Any, tmp_path: Path, words: list[str]) -> list[dict[str, Any]]:
    """Measure; return the rows of the JSON file."""
    file = tmp_path / "figures.json"
    module.main([*words, "--json", str(file)])
    found = json.loads(file.read_text())
    assert module.__name__ == f"benchmarks.{found['benchmark']}"
    assert found["machine"]["load"] is not None
    assert str(tmp_path) not in file.read_text()
    rows: list[dict[str, Any]] = found["rows"]
    return rows


def table_of(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    """Return the cells of the printed table without its rule, titles first."""
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in (lines[0], *lines[2:])]


@pytest.mark.usefixtures("in_this_process")
def test_loading_is_measured_for_every_side(
    unaligned_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--dataroot", str(unaligned_root), "--rounds", "2", "--epochs", "1", "--load_size", "36"]
    rows = rows_of(data, tmp_path, [*words, "--crop_size", "32"])
    assert [row["side"] for row in rows] == ["ours", "levels", "ram", "disk"]
    assert all(len(row["images_per_second"]) == 2 and min(row["images_per_second"]) > 0 for row in rows)
    assert [cells[0] for cells in table_of(capsys)] == ["side", "ours", "levels", "ram", "disk"]


def test_saving_is_measured_beside_steps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = rows_of(checkpoint, tmp_path, ["--size", "32", "--rounds", "2", *NETS])
    assert row["all"] > row["state"] > 10_000
    assert all(len(row[name]) == 2 and min(row[name]) > 0 for name in ("step", "wait", "busy", "save"))
    titles, line = table_of(capsys)
    assert len(titles) == len(line)
    assert float(line[0]) == pytest.approx(row["state"] / 1e6, rel=0.01)


def test_sinks_are_measured_block_by_block(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--size", "32", "--rounds", "1", "--steps", "8", "--print_freq", "2", "--servers", "missing"]
    rows = rows_of(sinks, tmp_path, [*words, *NETS])
    assert [row["server"] for row in rows] == ["off", "missing"]
    assert [cells[0] for cells in table_of(capsys)[1:]] == ["off", "missing"]


def test_posting_a_long_run(tmp_path: Path) -> None:
    (row,) = rows_of(sinks, tmp_path, ["--long_run", "500"])
    assert row["reports"] == 500
    assert row["posting all, ms"] > row["processor time of it, ms"] > 0


@pytest.mark.usefixtures("in_this_process")
def test_listing_is_measured_with_and_without_an_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SETTLED", 0)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rows = rows_of(
        index, tmp_path, ["--folder", str(tmp_path / "new"), "--files", "20", "--folders", "2", "--workers", "1"]
    )
    assert [row["start"] for row in rows] == ["first", "indexed", "strings"]
    assert all(row["own_then"] > 0 for row in rows)
    assert not (tmp_path / "new").exists()


def test_the_parts_of_a_step_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps(["--dataroot", "unused", *NETS], *random_images(32), World(0, 1, torch.device("cpu")))
    parts = scaling.parts(steps, 1)
    assert set(parts) == {"together", "apart", "averaging"}
    assert parts["averaging"] < parts["together"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A CycleGAN that has learned nothing."""
    return make_run(tmp_path / "checkpoints" / "small", "cycle_gan", "--no_dropout")


def test_files_are_translated_beside_the_official_code(
    run: Path,
    tmp_path: Path,
    programs_here: RunProgram,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(2):
        write(an_image(number, (32, 32)), tmp_path / "photos" / f"{number}.png")

    def run_or_invent(command: list[str], **others: Any) -> Any:
        if command[1] != "test.py":
            return programs_here(command, **others)
        runs, results = (
            Path(command[command.index(name) + 1], "run") for name in ("--checkpoints_dir", "--results_dir")
        )
        assert (runs / "latest_net_G.pth").exists()
        for number in range(2):
            write(Image.new("RGB", (32, 32)), results / "test_latest" / "images" / f"{number}_fake.png")
        return []

    monkeypatch.setattr(translating, "lines_of", run_or_invent)
    words = ["files", str(run), str(tmp_path / "photos"), "--precisions", "fp32", "--official", str(tmp_path)]
    theirs, mine = rows_of(translating, tmp_path, words)
    assert theirs["program"] == translating.OFFICIAL
    assert mine["times as fast as the official"] == pytest.approx(theirs["s"] / mine["s"])
    assert 0 < mine["largest difference, levels"] <= 255
    assert mine["PSNR, dB"] < 30
    assert [cells[0] for cells in table_of(capsys)] == ["program", "official test.py", "fp32"]


@pytest.mark.usefixtures("in_this_process")
def test_large_images_are_compared_with_the_first_way(run: Path, tmp_path: Path) -> None:
    image = write(an_image(0, (64, 64)), tmp_path / "photo.png")
    words = ["large", str(run), str(image), "--sizes", "64", "--tilings", "off", "exact", "--max_memory", "4"]
    off, exact = rows_of(translating, tmp_path, [*words, "--rounds", "1", "--precisions", "fp32"])
    assert (off["tiling"], off["PSNR to the first, dB"]) == ("off", "the same")
    assert exact["PSNR to the first, dB"] == "the same" or exact["PSNR to the first, dB"] > 60
    assert exact["us per pixel"] > 0


def test_the_list_has_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    commands = [path.stem for path in (PROJECT / "benchmarks").glob("[!_]*.py") if "__main__" in path.read_text()]
    assert sorted(front.NAMES) == sorted(commands)
    front.main([])
    lines = capsys.readouterr().out.splitlines()
    for name, line in zip(front.NAMES, lines, strict=False):
        assert line.startswith(f"python -m benchmarks.{name} ")
        assert line.endswith((importlib.import_module(f"benchmarks.{name}").__doc__ or "?").splitlines()[0])
    with pytest.raises(SystemExit, match="unknown word 'fast'"):
        front.main(["fast"])


@pytest.mark.parametrize("name", front.NAMES)
def test_help_shows_commands_to_type(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        importlib.import_module(f"benchmarks.{name}").main(["--help"])
    assert stop.value.code == 0
    assert f"python -m benchmarks.{name}" in capsys.readouterr().out.partition("options:")[0].partition("\n\n")[2]


def test_the_quick_round_gives_each_its_words_and_drawn_images(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[tuple[str, list[str]]] = []
    for name in front.NAMES:

        def main(words: list[str], name: str = name) -> None:
            given.append((name, words))
            if name == "data":
                assert list(Path(words[1], "trainA").iterdir())

        monkeypatch.setattr(f"benchmarks.{name}.main", main)
    front.main(["quick"])
    assert [name for name, _ in given] == [line.split()[0] for line in front.QUICK]
    assert given[1][1][4:6] == ["--ours", ""]
    assert "python -m benchmarks.machine" in capsys.readouterr().out
