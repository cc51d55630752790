import json
import math
from pathlib import Path

from tests.util.sinks.events import scalars
from util.sinks.jsonl import JsonLinesSink, read_history


def _record(path: Path, *, resume_at: int, numbers: range) -> None:
    sink = JsonLinesSink(path, resume_at=resume_at)
    for number in numbers:
        sink.scalars(scalars(number))
    sink.close()


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    _record(path, resume_at=0, numbers=range(1, 4))
    assert read_history(path) == [scalars(1), scalars(2), scalars(3)]
    keys = {"epoch", "position", "iters", "images_seen", "learning_rate", "seconds", "data_seconds", "losses"}
    assert set(json.loads(path.read_text().splitlines()[0])) == keys


def test_a_fresh_run_starts_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    _record(path, resume_at=0, numbers=range(1, 4))
    JsonLinesSink(path, resume_at=0)
    assert path.read_text() == ""


def test_a_resume_drops_what_it_will_do_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    _record(path, resume_at=0, numbers=range(1, 6))
    _record(path, resume_at=300, numbers=range(4, 5))
    assert [event.images_seen for event in read_history(path)] == [100, 200, 300, 400]


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    _record(path, resume_at=0, numbers=range(1, 4))
    path.write_text(path.read_text()[:-20])
    assert len(read_history(path)) == 2
    _record(path, resume_at=300, numbers=range(3, 4))
    assert read_history(path) == [scalars(1), scalars(2), scalars(3)]


def test_a_loss_that_is_not_finite_stays_valid_json(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    JsonLinesSink(path, resume_at=0).scalars(scalars(1, G=math.inf, D=1.0))
    assert json.loads(path.read_text())["losses"] == {"G": None, "D": 1.0}
    assert math.isnan(read_history(path)[0].losses["G"])


def test_no_file_is_no_history(tmp_path: Path) -> None:
    assert read_history(tmp_path / "none.jsonl") == []
