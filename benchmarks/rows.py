"""What the rounds of a cell come to: medians, ratios, the share of what the device can do."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from benchmarks.report import number, spread
from benchmarks.sides import Side

LONGEST = 16  # letters of a reason in the table; longer ones are below it
MIB = 2**20


class Cell(NamedTuple):
    """What is measured: a model or network, at a size in pixels, so many images at once."""

    what: str
    size: int
    batch_size: int

    def __str__(self) -> str:
        return f"{self.what}, {self.size} px, batch {self.batch_size}"


@dataclass(frozen=True)
class Row:
    """A side of a cell. Without a single finished process there are no figures; lists are by round.

    Attributes:
        seconds: of a step or call, the median over the rounds of their medians.
        start: seconds that the first calls of the first round took beyond those of warm ones.
        memory: peak of the timed calls, bytes.
        operations: floating point operations of a step or call, on the reference path; 0 if they cannot be counted.
        ceiling: the operations a second of the measured convolution in the side's precision.
        share: of the ceiling, by round.
        per_pixel: seconds per image and pixel, relative to the first cell of the same side.
        time_ratios: to the official code, by round.
        rounds: what the processes returned.
        failure: why there are no figures, or no more.
    """

    what: str
    size: int
    batch_size: int
    side: str
    flags: Sequence[str]
    failure: str = ""
    precision: str = ""
    seconds: float | None = None
    start: float | None = None
    memory: float | None = None
    operations: int = 0
    ceiling: float | None = None
    share: Sequence[float] = ()
    per_pixel: float | None = None
    time_ratios: Sequence[float] = ()
    memory_ratios: Sequence[float] = ()
    rounds: Sequence[dict[str, Any]] = field(default=(), repr=False)

    @property
    def cell(self) -> Cell:
        """What was measured."""
        return Cell(self.what, self.size, self.batch_size)

    @property
    def per_image(self) -> float | None:
        """Seconds per image."""
        return self.seconds / self.batch_size if self.seconds else None

    @property
    def is_explained_below(self) -> bool:
        """Whether the table has no room for the reason why it failed."""
        return len(self.failure) > LONGEST

    @property
    def pixels(self) -> int:
        """Of one batch."""
        return self.batch_size * self.size**2

    def medians(self) -> list[float]:
        """Return the seconds of each round."""
        return [statistics.median(result["seconds"]) for result in self.rounds]


def make_row(
    cell: Cell, side: Side, rounds: Sequence[dict[str, Any]], ceilings: Sequence[dict[str, float]], operations: int
) -> Row:
    """Summarise what the processes of a side returned.

    Args:
        rounds: as ``benchmarks.clock.measure`` returns it, with ``precision``.
        ceilings: by round, operations a second by precision.
        operations: of one step or call.
    """
    row = Row(*cell, side.label, side.flags, operations=operations, rounds=list(rounds))
    if not rounds:
        return row
    seconds, precision = row.medians(), rounds[0]["precision"]
    most = [table[precision] for table in ceilings if precision in table]
    return replace(
        row,
        precision=precision,
        seconds=statistics.median(seconds),
        start=rounds[0]["start"],
        memory=statistics.median(result["memory"] for result in rounds),
        ceiling=statistics.median(most) if most else None,
        share=[operations / own / top for own, top in zip(seconds, most, strict=False) if operations],
    )


def compared(row: Row, first: Row, official: Sequence[dict[str, Any]], failure: str) -> Row:
    """Add to a row what others and other rounds make of it.

    Args:
        first: this side's row of the first cell that it could do.
        official: what the processes of the official code returned, by round.
        failure: why the side did not finish, if so.
    """
    if not (row.seconds and first.seconds):
        return replace(row, failure=failure)
    others = [statistics.median(result["seconds"]) for result in official]
    memories = [(own["memory"], other["memory"]) for own, other in zip(row.rounds, official, strict=False)]
    return replace(
        row,
        failure=failure,
        per_pixel=(row.seconds / row.pixels) / (first.seconds / first.pixels),
        time_ratios=[own / other for own, other in zip(row.medians(), others, strict=False)],
        memory_ratios=[own / other for own, other in memories],
    )


def seconds_or_reason(row: Row) -> str:
    """Write the seconds of a step, or in a word why there are none."""
    return _or_reason(row, row.seconds)


def ms_or_reason(row: Row) -> str:
    """Write milliseconds per image, or in a word why there are none."""
    return _or_reason(row, row.per_image and row.per_image * 1e3)


def _or_reason(row: Row, value: float | None) -> str:
    if not row.failure:
        return number(value)
    return "failed" if row.is_explained_below else row.failure


def share(row: Row) -> str:
    """Write the share of the ceiling and whose ceiling it is."""
    return f"{statistics.median(row.share):.0%} of {row.precision}" if row.share else "-"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "network": lambda row: row.what,
    "size": lambda row: str(row.size),
    "batch": lambda row: str(row.batch_size),
    "side": lambda row: row.side,
    "s/step": seconds_or_reason,
    "ms/image": ms_or_reason,
    "images/s": lambda row: number(row.batch_size / row.seconds if row.seconds else None),
    "first steps, s": lambda row: number(row.start),
    "memory, MiB": lambda row: number(row.memory and row.memory / MIB, 1),
    "GFLOP/s": lambda row: number(row.operations / row.seconds / 1e9 if row.seconds and row.operations else None),
    "of the ceiling": share,
    "per pixel": lambda row: number(row.per_pixel),
    "time beside official": lambda row: spread(row.time_ratios),
    "memory beside official": lambda row: spread(row.memory_ratios),
}
