"""What several processes are expected to take."""

import json
from pathlib import Path

import pytest

from benchmarks.scaling import expected, main, row


def test_gradients_go_round_a_ring() -> None:
    assert expected(2.0, [8e9], 1, bandwidth=1e9, latency=1.0) == 2.0
    assert expected(2.0, [8e9], 2, bandwidth=1e9, latency=0.5) == pytest.approx(2 + 2 * (0.5 + 4))
    assert expected(0.0, [8e9, 4e9], 4, bandwidth=1e9, latency=0.0) == pytest.approx(6 * 2 + 6 * 1)


def test_many_processes_take_less_than_twice_the_bytes_through_each() -> None:
    assert expected(0.0, [1e9], 1000, bandwidth=1e9, latency=0.0) == pytest.approx(2, abs=0.01)


def test_a_line_of_the_table_compares_round_by_round() -> None:
    alone = [{"together": 1.0, "apart": 1.0}, {"together": 2.0, "apart": 2.0}]
    many = [
        {"together": 1.25, "apart": 1.0, "averaging": 0.2, "ddp": 0.9, "by_hand": 1.0},
        {"together": 2.5, "apart": 2.0, "averaging": 0.5, "ddp": 1.1, "by_hand": 1.0},
    ]
    cells = row(2, many, alone)
    assert cells[:2] == ["2", "1.88"]
    assert cells[2] == "0.800 (0.800 - 0.800)"
    assert cells[-3:] == ["1.85", "-2.0%", "1.000 (0.900 - 1.100)"]
    assert row(1, alone, alone)[2] == "1.000 (1.000 - 1.000)"


def test_it_is_worked_out_from_figures_given(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--step", "1", "--bytes", "8e9", "--bandwidth", "1e9", "--latency", "0", "--processes", "2", "4"])
    assert capsys.readouterr().out.splitlines() == [
        "2 processes: 9.0000 s/step, efficiency 11.1%",
        "4 processes: 13.0000 s/step, efficiency 7.7%",
    ]


@pytest.mark.slow
def test_one_and_two_processes_take_turns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nets = ["--netG", "resnet_1blocks", "--ngf", "4", "--ndf", "4", "--gpu_ids", "-1"]
    main(["--size", "32", "--rounds", "1", "--steps", "1", *nets, "--json", str(tmp_path / "scaling.json")])
    alone, both = json.loads((tmp_path / "scaling.json").read_text())["rows"]
    assert (alone["processes"], both["processes"]) == (1, 2)
    (figures,) = both["rounds"]
    assert set(figures) == {"together", "apart", "averaging", "by_hand", "ddp"}
    assert all(value > 0 for value in figures.values())
    assert capsys.readouterr().out.splitlines()[-1].split()[1] == "2"
