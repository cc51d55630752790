"""Curves of what benchmarks.step and benchmarks.inference have written with --json, as a small image.

python -m benchmarks.plot step.json inference.json --out docs/images/speed.svg

A panel for each file, model or network and pair of quantities: time per image or memory, over the size at the first
batch size that was measured, or over the batch size at the first size. Each side has a curve. A panel needs two points.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from benchmarks.report import new_parser, one_sentence
from options.errors import UserError
from util.curves.traces import colour
from util.plot import STYLE, save

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT, DPI = 3.4, 2.6, 100  # inches of a panel
SECONDS, BYTES = {"s": 1.0, "ms": 1e-3}, {"GiB": 2.0**30, "MiB": 2.0**20}
Point = tuple[float, float]


class Quantities(NamedTuple):
    """What a panel shows: a row's figure over another, at the same value of a third."""

    title: str
    units: dict[str, float]  # largest first; the first is taken that the largest figure reaches
    over: Literal["size", "batch_size"]
    axis: str


PANELS = (
    Quantities("time per image", SECONDS, "size", "pixels a side"),
    Quantities("time per image", SECONDS, "batch_size", "images in a batch"),
    Quantities("memory", BYTES, "size", "pixels a side"),
    Quantities("memory", BYTES, "batch_size", "images in a batch"),
)


class Panel(NamedTuple):
    """The curves of one panel by side."""

    quantities: Quantities
    title: str
    curves: dict[str, list[Point]]


def panels(rows: Sequence[dict[str, Any]]) -> Iterator[Panel]:
    """Yield those panels of one file for which there is more than one point."""
    done = [row for row in rows if row["seconds"]]
    for what in dict.fromkeys(row["what"] for row in done):
        own = [row for row in done if row["what"] == what]
        for quantities in PANELS:
            other = "batch_size" if quantities.over == "size" else "size"
            at = own[0][other]
            curves: dict[str, list[Point]] = {}
            for row in (row for row in own if row[other] == at):
                curves.setdefault(row["side"], []).append((row[quantities.over], figure_of(row, quantities)))
            if max(len(points) for points in curves.values()) > 1:
                place = f"batch {at}" if other == "batch_size" else f"{at} px"
                yield Panel(quantities, f"{what}, {place}", {side: sorted(points) for side, points in curves.items()})


def figure_of(row: dict[str, Any], quantities: Quantities) -> float:
    """Return a row's figure in seconds or bytes."""
    return float(row["memory"] if quantities.units is BYTES else row["seconds"] / row["batch_size"])


def draw(shown: Sequence[Panel]) -> "Figure":
    """Draw the panels; without matplotlib it is a ``UserError``."""
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(f"plots need matplotlib ({error}); type: pip install matplotlib") from None
    sides = list(dict.fromkeys(side for panel in shown for side in panel.curves))
    columns = min(3 if len(shown) % 2 else 2, len(shown))
    rows = -(-len(shown) // columns)
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(WIDTH * columns, HEIGHT * rows + 0.4), layout="constrained", dpi=DPI)
        for index, panel in enumerate(shown):
            _paint(figure.add_subplot(rows, columns, index + 1), panel, sides)
        lines = {line.get_label(): line for axes in figure.axes for line in axes.lines}
        figure.legend([lines[side] for side in sides], sides, loc="outside upper left", ncols=min(4, len(sides)))
    return figure


def _paint(axes: "Axes", panel: Panel, sides: Sequence[str]) -> None:
    most, units = max(y for points in panel.curves.values() for _, y in points), panel.quantities.units
    unit = next((name for name, scale in units.items() if most >= scale), list(units)[-1])
    for side, points in panel.curves.items():
        x, y = [x for x, _ in points], [y / units[unit] for _, y in points]
        axes.plot(x, y, marker="o", markersize=4, linewidth=1.6, label=side, color=colour(sides.index(side)))
    ticks = sorted({x for points in panel.curves.values() for x, _ in points})
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_title(panel.title)
    axes.set_xlabel(panel.quantities.axis)
    axes.set_ylabel(f"{panel.quantities.title}, {unit}")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read the rows of a file.

    Raises:
        UserError: it cannot be read or is of no sweep.
    """
    try:
        rows: list[dict[str, Any]] = json.loads(path.read_text())["rows"]
        if all({"what", "size", "batch_size", "seconds", "memory", "side"} <= set(row) for row in rows):
            return rows
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} cannot be read ({error}); pass what --json of a benchmark has written") from error
    raise UserError(f"{path} has no sizes to draw; pass what --json of benchmarks.step or benchmarks.inference wrote")


def main(argv: Sequence[str] | None = None) -> None:
    """Draw the files that the command line names."""
    parser = new_parser("plot", __doc__, measures=False)
    add = parser.add_argument
    add("files", nargs="+", type=Path, metavar="FILE", help="figures as JSON")
    add("--out", type=Path, default="speed.svg", metavar="FILE", help="SVG or PNG by its ending; default: %(default)s")
    args = parser.parse_args(argv)
    with one_sentence(args.benchmark):
        if args.out.suffix.lower() not in (".png", ".svg"):
            raise UserError(f"--out {args.out} ends in neither .png nor .svg; type for example --out speed.svg")
        shown = [panel for path in args.files for panel in panels(read_rows(path))]
        if not shown:
            raise UserError("no side was measured at more than one size or batch size, so there are no curves to draw")
        save(draw(shown), args.out)
    print(args.out)


if __name__ == "__main__":
    main()
