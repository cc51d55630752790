import re
from pathlib import Path

import pytest

from tests.util.sinks.events import scalars
from util.sinks.loss_log import LossLogSink


def test_each_run_appends_a_header_and_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "loss_log.txt"
    for number in (1, 2):
        LossLogSink(path).scalars(scalars(number, G=0.5))
    lines = path.read_text().splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"================ Training Loss \(.+\) ================", lines[0])
    assert lines[3] == "(epoch: 1, iters: 200, time: 0.311, data: 0.000) G: 0.500 "


def test_an_outage_warns_once_and_heals(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "run" / "loss_log.txt"
    path.parent.mkdir()
    sink = LossLogSink(path)
    path.unlink()
    path.mkdir()  # as good as a full disk: nothing can be written here
    for number in (1, 2, 3):
        sink.scalars(scalars(number))
    assert len(caplog.messages) == 1
    assert "cannot write" in caplog.text
    path.rmdir()
    sink.scalars(scalars(4, G=0.5))
    sink.scalars(scalars(5, G=0.5))
    numbers = [line.split(", time")[0] for line in path.read_text().splitlines()]
    assert len(numbers) == 5, "the lines of the outage as well"
    assert len(set(numbers)) == 5
