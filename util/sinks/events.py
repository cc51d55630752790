"""What a training tells, as plain values on the CPU: numbers, held-out scores, images; and the lines of its record."""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from util.images import ImageArray

GIBIBYTE = 2**30
OLD_NAME = "figures"  # of the scores in a line of ``metrics.jsonl``
NOTHING: Mapping[str, float] = MappingProxyType({})


class Scalars(NamedTuple):
    """One report of the training.

    ``epoch`` counts from 1, ``position`` is the same with a fraction (0.5 = half of epoch 1 done),
    ``iters`` are images since the start of this epoch, ``images_seen`` since the start of the run.
    """

    epoch: int
    position: float
    iters: int
    images_seen: int
    losses: Mapping[str, float]
    learning_rate: float
    seconds: float  # per image
    data_seconds: float  # per image, waiting for the loader
    accuracies: Mapping[str, float] = NOTHING  # discriminators' shares of right verdicts in the newest step, 0 to 1
    memory: float = 0.0  # bytes in use: of the GPU where one computes, else of this process; 0 if unknown


class Scores(NamedTuple):
    """What was measured on held-out images; ``epoch``, ``position``, ``images_seen`` as in ``Scalars``.

    ``variety_<G>`` tells how much a generator's outputs differ from one input to another, where 1 is as much as real
    images do. All others are of a validation. ``deciding`` is what ``--best_metric`` names, and ``worth`` its value,
    over all generators and with the sign turned where more is better: the lowest is the best.
    """

    epoch: int
    position: float
    images_seen: int
    scores: Mapping[str, float]
    deciding: str = ""
    worth: float = math.nan


Event = Scalars | Scores  # what is kept in ``metrics.jsonl``


class Images(NamedTuple):
    """The images of one training image, in display order; ``epoch`` and ``images_seen`` as in ``Scalars``."""

    epoch: int
    images_seen: int
    images: dict[str, ImageArray]


class Samples(NamedTuple):
    """The images of the held-out images, always the same ones, as one sheet with a row for each."""

    epoch: int
    images_seen: int
    sheet: ImageArray


def tagged(event: Event) -> dict[str, float]:
    """Return an event's numbers under the names that trackers group their charts by; memory in GiB."""
    if isinstance(event, Scores):
        return {f"held_out/{name}": value for name, value in event.scores.items()}
    values = {f"loss/{name}": value for name, value in event.losses.items()}
    values |= {f"accuracy/{name}": value for name, value in event.accuracies.items()}
    values |= {"epoch": event.position, "learning_rate": event.learning_rate}
    values |= {"seconds": event.seconds, "data_seconds": event.data_seconds}
    return values | ({"memory": event.memory / GIBIBYTE} if event.memory else {})


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events in file order, one at a time; no file is no event, and a torn line is left out."""
    return (event for _, event in read_lines(path))


def read_lines(path: Path) -> Iterator[tuple[str, Event]]:
    """Yield each line that is an event, with the event."""
    try:
        file = path.open(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    with file:
        yield from ((line, event) for line in file if (event := _from_line(line)) is not None)


def to_line(event: Event) -> str:
    """Return an event as a line of ``metrics.jsonl``.

    A number that is not finite is stored as ``null``, since JSON has no word for it, and read back as NaN.
    """
    fields = {name: _stored(value) for name, value in event._asdict().items()}
    if isinstance(event, Scores) and not event.deciding:
        del fields["deciding"], fields["worth"]
    return json.dumps(fields)


def _from_line(line: str) -> Event | None:
    try:
        fields = json.loads(line)
        if not isinstance(fields, dict):
            return None
        if OLD_NAME in fields:
            fields["scores"] = fields.pop(OLD_NAME)
        kind = Scores if "scores" in fields else Scalars
        return kind(**{name: _restored(fields[name]) for name in kind._fields if name in fields})  # others are newer
    except (ValueError, TypeError):
        return None


def _stored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _stored(number) for name, number in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _restored(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: math.nan if number is None else float(number) for name, number in value.items()}
    return math.nan if value is None else value
