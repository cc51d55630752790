import json
import math
import tracemalloc
from pathlib import Path

import pytest

from tests.util.sinks.events import scalars
from util.sinks.events import Event, Scalars, Scores, read_events
from util.sinks.jsonl import JsonLinesSink

FULL = scalars(2)._replace(accuracies={"D_A_real": 0.75, "D_A_fake": 0.5}, memory=2.5e9)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def scores(number: int) -> Scores:
    """Return what was measured at the time of the number-th report."""
    return Scores(1, number / 4, number * 100, {"validation": 0.5, "variety_G_A": 0.9})


def _record(path: Path, *, resume_at: int, numbers: range) -> None:
    sink = JsonLinesSink(path, resume_at=resume_at)
    for number in numbers:
        sink.scalars(scalars(number))
    sink.close()


def _read(path: Path) -> list[Event]:
    return list(read_events(path))


def test_what_is_written_is_read_back(path: Path) -> None:
    sink = JsonLinesSink(path, resume_at=0)
    sink.scalars(scalars(1))
    sink.scores(scores(1))
    sink.scalars(FULL)
    assert _read(path) == [scalars(1), scores(1), FULL]
    keys = {"epoch", "position", "iters", "images_seen", "learning_rate", "seconds", "data_seconds", "losses"}
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert set(lines[0]) == keys | {"accuracies", "memory"}
    assert set(lines[1]) == {"epoch", "position", "images_seen", "scores"}


def test_a_file_without_accuracies_and_memory_is_read(path: Path) -> None:
    path.write_text(
        '{"epoch": 1, "position": 0.5, "iters": 200, "images_seen": 200, "losses": {"G_A": 0.5, "D_A": null}, '
        '"learning_rate": 0.0002, "seconds": 0.3, "data_seconds": 0.01}\n'
    )
    (event,) = _read(path)
    assert isinstance(event, Scalars)
    assert (event.losses["G_A"], event.seconds, dict(event.accuracies), event.memory) == (0.5, 0.3, {}, 0.0)
    assert math.isnan(event.losses["D_A"])
    _record(path, resume_at=200, numbers=range(3, 4))
    assert [event.images_seen for event in _read(path)] == [200, 300]


def test_a_fresh_run_starts_an_empty_file_and_keeps_the_older_ones(path: Path) -> None:
    for number in (1, 2):
        _record(path, resume_at=0, numbers=range(number, number + 1))
    JsonLinesSink(path, resume_at=0)
    assert path.read_text() == ""
    assert [_read(path.parent / f"metrics.{number}.jsonl") for number in (1, 2)] == [[scalars(1)], [scalars(2)]]


def test_a_resume_drops_what_it_will_do_again(path: Path) -> None:
    sink = JsonLinesSink(path, resume_at=0)
    for number in range(1, 6):
        sink.scalars(scalars(number))
        sink.scores(scores(number))
    _record(path, resume_at=300, numbers=range(4, 5))
    kept = [event for number in (1, 2, 3) for event in (scalars(number), scores(number))]
    assert _read(path) == [*kept, scalars(4)]


def test_a_torn_last_line_is_left_out(path: Path) -> None:
    _record(path, resume_at=0, numbers=range(1, 4))
    path.write_text(path.read_text()[:-20])
    assert len(_read(path)) == 2
    _record(path, resume_at=300, numbers=range(3, 4))
    assert _read(path) == [scalars(1), scalars(2), scalars(3)]


@pytest.mark.parametrize(
    "line", ["", "{}", "5", "null", "[1, 2]", '"text"', '{"scores": {}}', '{"losses": {"G": "x"}}', "\0\0\0", "\ufffd"]
)
def test_a_line_that_is_no_event_is_left_out(line: str, path: Path) -> None:
    _record(path, resume_at=0, numbers=range(1, 2))
    with path.open("a") as file:
        file.write(f"{line}\n")
    _record(path, resume_at=100, numbers=range(2, 3))
    assert _read(path) == [scalars(1), scalars(2)]


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_a_number_that_is_not_finite_stays_valid_json(value: float, path: Path) -> None:
    sink = JsonLinesSink(path, resume_at=0)
    sink.scalars(scalars(1, G=value, D=1.0)._replace(accuracies={"D_real": value}))
    sink.scores(Scores(1, 0.25, 100, {"validation": value}))
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first["losses"] == {"G": None, "D": 1.0}
    assert (first["accuracies"], second["scores"]) == ({"D_real": None}, {"validation": None})
    told, measured = _read(path)
    assert isinstance(told, Scalars)
    assert isinstance(measured, Scores)
    assert all(math.isnan(x) for x in (told.losses["G"], told.accuracies["D_real"], measured.scores["validation"]))


def test_a_long_file_is_read_and_resumed_line_by_line(path: Path) -> None:
    _record(path, resume_at=0, numbers=range(1, 2))
    path.write_text(path.read_text() * 20_000)
    assert path.stat().st_size > 4e6
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_events(path)) == 20_000
        JsonLinesSink(path, resume_at=100)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 5e5
    assert sum(1 for _ in read_events(path)) == 20_000


def test_what_a_newer_version_has_written_survives_a_resume(path: Path) -> None:
    JsonLinesSink(path, resume_at=0).scalars(scalars(1))
    line = path.read_text().replace("{", '{"unknown": [1, 2], ', 1)
    path.write_text(line)
    JsonLinesSink(path, resume_at=1000)
    assert path.read_text() == line
    assert list(read_events(path)) == [scalars(1)]


def test_scores_under_their_old_name_are_read(path: Path) -> None:
    JsonLinesSink(path, resume_at=0).scores(scores(1))
    path.write_text(path.read_text().replace('"scores"', '"figures"'))
    assert _read(path) == [scores(1)]
