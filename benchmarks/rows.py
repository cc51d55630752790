"""What the rounds of a cell come to: medians, ratios, the share of what the device can do."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.report import number, spread
from benchmarks.sides import Side

LONGEST = 16  # letters of a reason in the table; longer ones are below it
MIB = 2**20
Results = Sequence[dict[str, Any]]  # of processes, by round: as ``benchmarks.clock.measure``, with ``precision``


class Cell(NamedTuple):
    """What is measured: a model or network, at a size in pixels, so many images at once."""

    what: str
    size: int
    batch_size: int

    def __str__(self) -> str:
        return f"{self.what}, {self.size} px, batch {self.batch_size}"

    @property
    def pixels(self) -> int:
        """Of one batch."""
        return self.batch_size * self.size**2


@dataclass(frozen=True)
class Row:
    """A side of a cell. Without a single finished process there are no figures; lists are by round.

    Attributes:
        results: of this side.
        official: of the official code, if this side is compared with it.
        ceilings: operations a second of the measured convolution, by precision.
        operations: floating point operations of a step or call, on the reference path; 0 if they cannot be counted.
        failure: why there are no figures, or no more.
        first: this side's row of the first cell that it could do, if it is not this one.
    """

    cell: Cell
    side: Side
    results: Results
    official: Results = ()
    ceilings: Sequence[dict[str, float]] = ()
    operations: int = 0
    failure: str = ""
    first: "Row | None" = None

    @property
    def seconds(self) -> float | None:
        """Of a step or call: the median over the rounds of their medians."""
        return statistics.median(_medians(self.results)) if self.results else None

    @property
    def memory(self) -> float | None:
        """Peak of the timed calls, bytes."""
        return statistics.median(result["memory"] for result in self.results) if self.results else None

    @property
    def start(self) -> float | None:
        """Seconds that the first calls of the first round took beyond those of warm ones."""
        return self.results[0]["start"] if self.results else None

    @property
    def precision(self) -> str:
        """What it computes in."""
        return str(self.results[0]["precision"]) if self.results else ""

    @property
    def share(self) -> list[float]:
        """Of the ceiling in its precision."""
        tops = [table[self.precision] for table in self.ceilings if self.precision in table]
        own = _medians(self.results) if self.operations else []
        return [self.operations / seconds / top for seconds, top in zip(own, tops, strict=False)]

    @property
    def per_pixel(self) -> float | None:
        """Seconds per image and pixel, relative to the first cell."""
        first = self.first or self
        if not (self.seconds and first.seconds):
            return None
        return (self.seconds / self.cell.pixels) / (first.seconds / first.cell.pixels)

    @property
    def time_ratios(self) -> list[float]:
        """To the official code."""
        both = zip(_medians(self.results), _medians(self.official), strict=False)
        return [own / other for own, other in both]

    @property
    def memory_ratios(self) -> list[float]:
        """To the official code."""
        return [own["memory"] / other["memory"] for own, other in zip(self.results, self.official, strict=False)]

    @property
    def is_explained_below(self) -> bool:
        """Whether the table has no room for the reason why it failed."""
        return len(self.failure) > LONGEST

    def as_json(self) -> dict[str, Any]:  # Any: what JSON can hold
        """Return all figures as plain values."""
        return {
            **self.cell._asdict(),
            "side": self.side.label,
            "flags": self.side.flags,
            "failure": self.failure,
            "precision": self.precision,
            "seconds": self.seconds,
            "start": self.start,
            "memory": self.memory,
            "operations": self.operations,
            "share": self.share,
            "per_pixel": self.per_pixel,
            "time_ratios": self.time_ratios,
            "memory_ratios": self.memory_ratios,
            "rounds": self.results,
        }


def _medians(results: Results) -> list[float]:
    """Return the seconds of each round."""
    return [statistics.median(result["seconds"]) for result in results]


def _or_reason(row: Row, value: float | None) -> str:
    """Write a figure, or in a word why there is none."""
    if not row.failure:
        return number(value)
    return "failed" if row.is_explained_below else row.failure


def _share(row: Row) -> str:
    return f"{statistics.median(row.share):.0%} of {row.precision}" if row.share else "-"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "network": lambda row: row.cell.what,
    "size": lambda row: str(row.cell.size),
    "batch": lambda row: str(row.cell.batch_size),
    "side": lambda row: row.side.label,
    "s/step": lambda row: _or_reason(row, row.seconds),
    "ms/image": lambda row: _or_reason(row, row.seconds and row.seconds / row.cell.batch_size * 1e3),
    "images/s": lambda row: number(row.seconds and row.cell.batch_size / row.seconds),
    "first steps, s": lambda row: number(row.start),
    "memory, MiB": lambda row: number(row.memory and row.memory / MIB, 1),
    "GFLOP/s": lambda row: number(row.operations / row.seconds / 1e9 if row.seconds and row.operations else None),
    "of the ceiling": _share,
    "per pixel": lambda row: number(row.per_pixel),
    "time beside official": lambda row: spread(row.time_ratios),
    "memory beside official": lambda row: spread(row.memory_ratios),
}
