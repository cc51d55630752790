"""Images a second of whole runs of train.py, beside the bare step and the official train.py if you have it.

python -m benchmarks.end_to_end --dataroot ./datasets/horse2zebra --images 1000
python -m benchmarks.end_to_end --dataroot ./datasets/facades --model pix2pix --official ../pytorch-CycleGAN-and-pix2pix
python -m benchmarks.end_to_end --dataroot ./datasets/horse2zebra --ours "--precision bf16" --epochs 5 --num_threads 8

All takes part that does in earnest: loading, reports, images, the page, saving, and once more with a Visdom server.
Timed are the epochs after the first, from its "End of epoch" on the terminal to the last one. Reports, images and
saves come as often as train.py's defaults say, but at least once an epoch. The bare step is benchmarks.step at the same
size. All take turns. Flags that this program does not know go to all sides.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks import report
from benchmarks.processes import FailedError, end_children_too
from benchmarks.rows import Cell
from benchmarks.runs import Training
from benchmarks.sides import Side, add_sides, parse, read_sides
from options.cli import parse_train
from options.errors import UserError


@dataclass
class Entry:
    """Something that is measured once a round, and its images a second by round.

    Attributes:
        bare: the entry of the step alone that it is compared with, if it is not one itself.
        official: the official code's entry of the same kind, if this one is ours.
    """

    name: str
    rate: Callable[[], float]
    bare: "Entry | None" = None
    official: "Entry | None" = None
    rates: list[float] = field(default_factory=list)
    failure: str = ""

    def measure(self) -> str:
        """Measure once more, unless it failed before; say what came of it."""
        if not self.failure:
            try:
                self.rates.append(self.rate())
            except FailedError as error:
                self.failure = str(error)
        return self.failure or f"{report.number(self.rates[-1])} images/s"

    def over(self, other: "Entry | None") -> list[float]:
        """Return the time that an image takes here beside there, by round."""
        return [there / here for here, there in zip(self.rates, other.rates, strict=False)] if other else []


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print a line per entry."""
    args, flags = parse(arguments(), argv)
    with report.one_sentence(args.benchmark):
        entries = read_entries(args, flags)
    for number in range(1, args.rounds + 1):
        for entry in entries:
            report.say(f"round {number}/{args.rounds}, {entry.name}: {entry.measure()}")
        report.save(args, flags, [figures(entry) for entry in entries])
    print(report.table(("side", "images/s", "over the bare step", "time beside official"), list(map(cells, entries))))
    for entry in entries:
        if entry.failure:
            print(f"{entry.name}: {entry.failure}")


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself."""
    parser = report.new_parser("end_to_end", __doc__)
    add = parser.add_argument
    add("--dataroot", required=True, metavar="FOLDER", help="images, as train.py takes them")
    add("--model", default="cycle_gan", help="cycle_gan or pix2pix; default: %(default)s")
    add("--size", type=int, default=256, help="side of the crops, pixels; default: %(default)s")
    add("--batch_size", type=int, default=1, help="default: %(default)s")
    add("--images", type=int, default=400, help="in an epoch, at most; default: %(default)s")
    add("--epochs", type=int, default=3, help="the first warms up; default: %(default)s")
    add("--steps", type=int, default=4, help="timings of the bare step per process; default: %(default)s")
    add("--dashboard", nargs="+", choices=("off", "on"), default=["off", "on"], help="default: both")
    add_sides(parser)
    return parser


def read_entries(args: argparse.Namespace, flags: Sequence[str]) -> list[Entry]:
    """Return what is measured in a round, in turn.

    Raises:
        UserError: the flags contradict each other.
    """
    if args.images % args.batch_size or args.epochs < 2:
        raise UserError("--images must be a multiple of --batch_size, and --epochs at least 2")
    cell = Cell(args.model, args.size, args.batch_size)
    training = Training(cell, args.dataroot, args.images, args.epochs, flags, args.steps, args.timeout)
    sides = read_sides(args)
    for side in sides:
        parse_train([*training.command_line(), *side.flags])
    theirs = [entry for side in sides if side.folder for entry in entries_of(training, side, ["off"])]
    mine = [entry for side in sides if not side.folder for entry in entries_of(training, side, args.dashboard)]
    for entry in mine if theirs else []:
        entry.official = theirs[bool(entry.bare)]
    return [*mine, *theirs]


def entries_of(training: Training, side: Side, dashboard: Sequence[str]) -> list[Entry]:
    """Return a side's bare step and its runs."""
    bare = Entry(f"{side.label}, bare step", lambda: training.bare_rate(side))
    plain = Entry(side.label, lambda: training.run_rate(side), bare)
    shown = Entry(f"{side.label}, dashboard", lambda: training.run_rate(side, dashboard=True), bare)
    return [bare, *([plain] if "off" in dashboard else []), *([shown] if "on" in dashboard else [])]


def figures(entry: Entry) -> dict[str, object]:
    """Return an entry for the JSON file; lists are by round."""
    return {
        "side": entry.name,
        "images_per_second": entry.rates,
        "time_over_bare": entry.over(entry.bare),
        "time_ratios": entry.over(entry.official),
        "failure": entry.failure,
    }


def cells(entry: Entry) -> list[str]:
    """Return an entry's line of the table."""
    if not entry.rates:
        return [entry.name, "failed", "-", "-"]
    more = [100 * (ratio - 1) for ratio in entry.over(entry.bare)]
    over = f"{statistics.median(more):+.1f} % ({min(more):+.1f} to {max(more):+.1f})" if more else "-"
    rate = report.number(statistics.median(entry.rates))
    return [entry.name, rate, over, report.spread(entry.over(entry.official))]


if __name__ == "__main__":
    end_children_too()
    main()
