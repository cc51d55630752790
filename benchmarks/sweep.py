"""Sizes and batch sizes by sides: every cell in processes of its own, the sides in turns, and what that comes to."""

import argparse
import contextlib
import itertools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from benchmarks import report
from benchmarks.job import Job
from benchmarks.machine import ceilings
from benchmarks.processes import FailedError, in_own_process
from benchmarks.rows import COLUMNS, Cell, Row
from benchmarks.sides import Side, add_sides, read_sides


class Topic(NamedTuple):
    """What differs between the benchmarks that sweep.

    Attributes:
        module: runs one job when it is given ``--job``.
        training: whether it goes backward as well.
        flags: returns the command line of a cell, given the flags that are not its own.
        parse: refuses impossible command lines.
        operations: counts floating point operations on the reference path, given command line, size, batch size.
    """

    module: str
    training: bool
    flags: Callable[[Cell, Sequence[str]], list[str]]
    parse: Callable[[Sequence[str]], object]
    operations: Callable[[Sequence[str], int, int], int]


def arguments(name: str, about: str | None) -> argparse.ArgumentParser:
    """Return the flags that all sweeps have."""
    parser = report.new_parser(name, about)
    add = parser.add_argument
    add(
        "--sizes",
        "--size",
        nargs="+",
        type=int,
        default=[256],
        help="sides of the images, pixels; default: %(default)s",
    )
    add("--batch_sizes", "--batch_size", nargs="+", type=int, default=[1], help="default: %(default)s")
    add("--steps", type=int, default=4, help="timings per process, after the warm-up; a call of less than 0.2 s is "
        "timed in a row of several; default: %(default)s")  # fmt: skip
    add_sides(parser)
    add("--job", help=argparse.SUPPRESS)  # what the processes are told that are measured
    return parser


def main(
    topic: Topic, args: argparse.Namespace, flags: Sequence[str], kinds: Sequence[str], columns: Sequence[str]
) -> None:
    """Measure every cell and print the table, or say in one sentence why not.

    Args:
        flags: those that go to every side.
        kinds: models or networks.
        columns: names in ``COLUMNS``.
    """
    with report.one_sentence(args.benchmark):
        rows = run(topic, args, flags, [Cell(*each) for each in itertools.product(kinds, args.sizes, args.batch_sizes)])
    columns = [name for name in columns if name != "per pixel" or len(args.sizes) * len(args.batch_sizes) > 1]
    print(report.table(columns, [[COLUMNS[name](row) for name in columns] for row in rows]))
    for row in rows:
        if row.is_explained_below:
            print(f"{row.cell}, {row.side.label}: {row.failure}")


def run(topic: Topic, args: argparse.Namespace, flags: Sequence[str], cells: Sequence[Cell]) -> list[Row]:
    """Measure every cell, telling how far it is; the JSON file grows with each.

    Raises:
        UserError: the sides contradict each other.
    """
    sides = read_sides(args)
    for side in sides:
        topic.parse(topic.flags(cells[0], [*flags, *side.flags]))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        fresh = {"TORCHINDUCTOR_CACHE_DIR": folder}  # nothing is compiled at the start; what is serves all rounds
        for cell in cells:
            rounds = Rounds(topic, cell, sides, flags, args.steps)
            for number in range(1, args.rounds + 1):
                rounds.take(f"round {number}/{args.rounds}", seconds=args.timeout, env=fresh)
            rows += rounds.rows(rows)
            report.save(args, flags, [row.as_json() for row in rows])
    return rows


class Rounds:
    """The turns that the sides take at one cell; one that fails once is left out of the next rounds."""

    def __init__(self, topic: Topic, cell: Cell, sides: Sequence[Side], flags: Sequence[str], timings: int) -> None:
        self.topic, self.cell, self.sides, self.flags, self.timings = topic, cell, sides, flags, timings
        self.operations = 0
        with contextlib.suppress(ValueError, RuntimeError):  # the sides will say themselves what is wrong with the cell
            self.operations = topic.operations(topic.flags(cell, flags), cell.size, cell.batch_size)
        self.found: dict[str, list[dict[str, Any]]] = {side.label: [] for side in sides}
        self.failures: dict[str, str] = {}
        self.ceilings: list[dict[str, float]] = []

    def take(self, title: str, *, seconds: float, env: Mapping[str, str]) -> None:
        """Measure the ceiling and every side once more."""
        self.ceilings.append(ceilings(training=self.topic.training))
        for side in self.sides:
            if side.label not in self.failures:
                report.say(f"{title}, {self.cell}, {side.label}: {self._measure(side, seconds, env)}")

    def _measure(self, side: Side, seconds: float, env: Mapping[str, str]) -> str:
        line = self.topic.flags(self.cell, [*self.flags, *side.flags])
        job = Job(self.cell.size, self.cell.batch_size, line, side.folder, self.timings)
        try:
            result = in_own_process(self.topic.module, ["--job", job.to_text()], seconds=seconds, env=env)
        except FailedError as error:
            self.failures[side.label] = str(error)
            return str(error)
        self.found[side.label].append(result)
        return f"{report.number(min(result['seconds']))} s"

    def rows(self, before: Sequence[Row]) -> list[Row]:
        """Return a row for each side.

        Args:
            before: those of earlier cells.
        """
        official = next((self.found[side.label] for side in self.sides if side.folder), [])
        rows = []
        for side in self.sides:
            done = (row for row in before if row.side == side and row.cell.what == self.cell.what and row.seconds)
            beside = [] if side.folder else official
            failure, first = self.failures.get(side.label, ""), next(done, None)
            results = self.found[side.label]
            rows.append(Row(self.cell, side, results, beside, self.ceilings, self.operations, failure, first))
        return rows
