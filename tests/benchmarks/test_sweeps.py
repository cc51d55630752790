"""``benchmarks.step`` and ``benchmarks.inference`` from the command line to the table and the JSON file."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import inference, step, sweep
from benchmarks.rows import Cell
from tests.benchmarks.fake_official import write_official

SMALL = ["--ngf", "4", "--ndf", "4", "--steps", "1", "--precision", "fp32", "--gpu_ids", "-1"]


@pytest.fixture(autouse=True)
def ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every machine does a GFLOP/s."""
    monkeypatch.setattr(sweep, "ceilings", lambda *, training: {"fp32": 1e9})


def rows_in(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a file with one cell, by side."""
    return {row["side"]: row for row in json.loads(path.read_text())["rows"]}


def lines_of(text: str) -> dict[str, list[str]]:
    """Return the cells of a printed table by side."""
    table = [[cell.strip() for cell in line.strip("| ").split("|")] for line in text.splitlines() if line[:1] == "|"]
    side = table[0].index("side")
    return {cells[side]: cells for cells in table}


@pytest.mark.slow
def test_a_step_is_measured_in_processes_of_its_own_beside_the_official_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    official, file = write_official(tmp_path / "official"), tmp_path / "step.json"
    sides = ["--official", str(official)]
    flags = ["--model", "cycle_gan", "--size", "32", "--netG", "resnet_1blocks", "--netD", "pixel"]
    step.main([*flags, *SMALL, *sides, "--rounds", "1", "--json", str(file)])

    rows = rows_in(file)
    ours = rows["ours"]
    assert list(rows) == ["ours", "official"]
    assert ours["precision"] == "fp32"
    assert ours["seconds"] > 0
    assert ours["memory"] > 1e6
    assert ours["operations"] == rows["official"]["operations"] > 1e6
    assert ours["time_ratios"] == [ours["seconds"] / rows["official"]["seconds"]]
    assert rows["official"]["time_ratios"] == []

    said = capsys.readouterr()
    table = lines_of(said.out)
    assert float(table["ours"][table["side"].index("s/step")]) > 0
    assert "round 1/1" in said.err


@pytest.mark.usefixtures("in_this_process")
def test_sizes_and_batch_sizes_make_a_row_each_beside_the_first(tmp_path: Path) -> None:
    file = tmp_path / "inference.json"
    grid = ["--sizes", "16", "32", "--batch_sizes", "1", "2", "--networks", "resnet_1blocks", "--rounds", "2"]
    inference.main([*grid, *SMALL, "--json", str(file)])

    document = json.loads(file.read_text())
    rows = document["rows"]
    assert [(row["size"], row["batch_size"]) for row in rows] == [(16, 1), (16, 2), (32, 1), (32, 2)]
    assert rows[0]["per_pixel"] == 1
    small, large = (row["seconds"] / (row["batch_size"] * row["size"] ** 2) for row in (rows[0], rows[3]))
    assert rows[3]["per_pixel"] == pytest.approx(large / small)
    assert [row["operations"] / rows[0]["operations"] for row in rows] == [1, 2, 4, 8]
    for row in rows:
        assert len(row["rounds"]) == len(row["share"]) == 2
        speeds = [row["operations"] / round_["seconds"][0] for round_ in row["rounds"]]
        assert row["share"] == pytest.approx([speed / 1e9 for speed in speeds])
    assert document["benchmark"] == "inference"
    assert document["flags"] == ["--ngf", "4", "--ndf", "4", "--precision", "fp32", "--gpu_ids", "-1"]
    assert {"cpu", "cores", "instructions", "memory_gib", "pytorch", "threads", "date"} <= set(document["machine"])


@pytest.mark.usefixtures("in_this_process")
def test_a_size_that_cannot_be_does_not_end_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "step.json"
    nets = ["--netG", "resnet_1blocks", "--rounds", "1"]
    step.main(["--model", "cycle_gan", "--sizes", "8", "32", *nets, *SMALL, "--json", str(file)])
    said = capsys.readouterr().out
    small, large = json.loads(file.read_text())["rows"]
    assert "the discriminator needs 24" in small["failure"]
    assert small["seconds"] is None
    assert large["per_pixel"] == 1
    assert large["seconds"] > 0
    assert "| failed |" in said
    assert "cycle_gan, 8 px, batch 1, ours: A reaches the networks with 8 pixels" in said


@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("module", [step, inference])
def test_a_mistake_in_the_flags_ends_everything_before_anything_is_measured(
    module: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        module.main(["--ours", "", "--ours", "--precison"])
    assert "unknown flag '--precison'; did you mean '--precision'?" in capsys.readouterr().err


@pytest.mark.parametrize(("size", "network"), [(128, "unet_128"), (256, "unet_256"), (512, "unet_256")])
def test_unet_is_the_one_that_the_size_allows(size: int, network: str) -> None:
    line = inference.command_line(Cell("unet", size, 1), ["--eval"])
    assert line[line.index("--netG") + 1] == network
    assert line[-1] == "--eval"
