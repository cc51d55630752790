"""``metrics.jsonl``: every report of the losses, one JSON object per line.

The only complete record of the curves; pages and dashboards are drawn from it. A loss that is not finite
is stored as ``null``, since JSON has no word for it, and read back as NaN.
"""

import itertools
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path

from util.sinks import Scalars, Sink
from util.sinks.tolerance import LineWriter


class JsonLinesSink(Sink):
    """Append one object per report; on a resume first drop what the resumed run will do again."""

    def __init__(self, path: Path, *, resume_at: int) -> None:
        """Prepare the file.

        Args:
            resume_at: images seen by the checkpoint that is resumed; 0 starts an empty file and puts one that is
                there aside, as ``metrics.1.jsonl`` or the next free number.
        """
        if not resume_at:
            _put_aside(path)
        kept = [event for event in read_history(path) if event.images_seen <= resume_at] if resume_at else []
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text("".join(_to_line(event) + "\n" for event in kept), encoding="utf-8")
        os.replace(temporary, path)
        self._writer = LineWriter(path)

    def scalars(self, event: Scalars) -> None:
        """Append the report."""
        self._writer.write(_to_line(event))


def read_history(path: Path) -> list[Scalars]:
    """Return the reports in file order; no file is no report, and a torn line is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return []
    events = [_from_line(line) for line in text.splitlines()]
    return [event for event in events if event is not None]


def _put_aside(path: Path) -> None:
    """Keep the reports of an earlier run."""
    if path.exists() and path.stat().st_size:
        numbers = itertools.count(1)
        free = next(p for n in numbers if not (p := path.with_suffix(f".{n}{path.suffix}")).exists())
        os.replace(path, free)


def _to_line(event: Scalars) -> str:
    losses = {name: value if math.isfinite(value) else None for name, value in event.losses.items()}
    return json.dumps(event._asdict() | {"losses": losses})


def _from_line(line: str) -> Scalars | None:
    try:
        fields = json.loads(line)
        return Scalars(**(fields | {"losses": _losses(fields["losses"])}))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _losses(stored: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else float(value) for name, value in stored.items()}
