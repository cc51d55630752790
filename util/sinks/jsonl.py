"""``metrics.jsonl``: every report of the training and every score of held-out images, one JSON object per line.

The only complete record of the curves; pages and dashboards are drawn from it. A number that is not finite
is stored as ``null``, since JSON has no word for it, and read back as NaN.
"""

import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from util.sinks import Sink
from util.sinks.events import Event, Scalars, Scores
from util.sinks.tolerance import LineWriter


class JsonLinesSink(Sink):
    """Append one object per event; on a resume first drop what the resumed run will do again."""

    def __init__(self, path: Path, *, resume_at: int) -> None:
        """Prepare the file.

        Args:
            resume_at: images seen by the checkpoint that is resumed; 0 starts an empty file and puts one that is
                there aside, as ``metrics.1.jsonl`` or the next free number.
        """
        if not resume_at:
            _put_aside(path)
        temporary = path.with_name(path.name + ".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            for line, event in _lines(path):
                if event.images_seen <= resume_at:
                    file.write(line.rstrip("\n") + "\n")
        os.replace(temporary, path)
        self._writer = LineWriter(path)

    def scalars(self, event: Scalars) -> None:
        """Append the report."""
        self._writer.write(_to_line(event))

    def scores(self, event: Scores) -> None:
        """Append the scores."""
        self._writer.write(_to_line(event))


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events in file order, one at a time; no file is no event, and a torn line is left out."""
    return (event for _, event in _lines(path))


def _lines(path: Path) -> Iterator[tuple[str, Event]]:
    """Yield each line that is an event, with the event."""
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with file:
        yield from ((line, event) for line in file if (event := _from_line(line)) is not None)


def _put_aside(path: Path) -> None:
    """Keep the reports of an earlier run."""
    if path.exists() and path.stat().st_size:
        numbers = itertools.count(1)
        free = next(p for n in numbers if not (p := path.with_suffix(f".{n}{path.suffix}")).exists())
        os.replace(path, free)


def _to_line(event: Event) -> str:
    fields = event._asdict()
    if isinstance(event, Scores) and not event.deciding:
        del fields["deciding"], fields["worth"]
    return json.dumps({name: _stored(value) for name, value in fields.items()})


def _from_line(line: str) -> Event | None:
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict):
            return None
        kind = Scores if "scores" in fields else Scalars
        known: dict[str, Any] = {name: fields[name] for name in kind._fields if name in fields}  # others are newer
        return kind(**{name: _restored(value) for name, value in known.items()})
    except (ValueError, TypeError):
        return None


def _stored(value: Any) -> Any:
    """Replace numbers that are not finite, alone or in a table."""
    if isinstance(value, Mapping):
        return {name: _stored(number) for name, number in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _restored(value: Any) -> Any:
    """Undo ``_stored``."""
    if isinstance(value, dict):
        return {name: math.nan if number is None else float(number) for name, number in value.items()}
    return math.nan if value is None else value
