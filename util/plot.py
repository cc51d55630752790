"""``python -m util.plot RUN...``: the curves of one or several runs as an image, without any server.

One run has a panel per group of curves, as on the dashboard; several have a panel per curve and a colour per run.
Everything comes from ``metrics.jsonl``. matplotlib is optional.
"""

import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from options.arguments import QuietParser
from options.errors import UserError
from options.stored import read_options
from util.curves.history import History
from util.curves.panels import Panel, panels, y_range
from util.curves.traces import COLOURS, GRAY, colour, smooth
from util.files import whole_file
from util.run_folder import METRICS_FILE, find_metrics
from util.sinks.events import read_events

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PROGRAM = "python -m util.plot"
INK, PALE = "#333333", "#e4e7eb"
STYLE: dict[Any, Any] = {  # Any: matplotlib lists hundreds of keys
    "figure.dpi": 144, "figure.constrained_layout.h_pad": 0.08, "font.size": 9, "svg.fonttype": "none",
    "axes.grid": True, "grid.color": PALE, "grid.linewidth": 0.7, "axes.edgecolor": PALE, "axes.labelcolor": INK,
    "axes.spines.right": False, "axes.spines.top": False, "axes.titlelocation": "left", "axes.titlesize": 10,
    "text.color": INK, "xtick.color": PALE, "ytick.color": PALE, "xtick.labelcolor": INK, "ytick.labelcolor": INK,
    "legend.frameon": False, "legend.handlelength": 1.4, "legend.title_fontsize": 11,
    "text.parse_math": False,  # a $ in a name is a $
}  # fmt: skip
DASHES = ("solid", "dashed", "dotted", "dashdot")  # the next for each round of colours
NOT_DRAWN = ("waiting", "memory")


class Run(NamedTuple):
    """What is drawn of a run; ``gan_mode`` is empty where it is not known."""

    label: str
    history: History
    gan_mode: str = ""


def draw(runs: Sequence[Run], title: str = "") -> "Figure":
    """Draw one run by groups of curves, or compare several curve by curve; without matplotlib it is a ``UserError``."""
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(f"plots need matplotlib ({error}); type: pip install matplotlib") from None
    alone = len(runs) == 1
    panels = [panel._replace(kind="") for panel in _groups(runs[0]) if panel.curves] if alone else _compared(runs)
    most, width, height = (2, 5.2, 2.7) if alone else (4, 3.0, 2.1)  # in a row, inches, inches
    columns, rows = min(most, len(panels)), math.ceil(len(panels) / most)
    ends = [x for panel in panels for curve in panel.curves.values() for x in (curve.x[0], curve.x[-1])]
    first, last = math.floor(min(ends)), max(ends)
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(max(5.2, width * columns), height * rows + 0.5), layout="constrained")
        for index, panel in enumerate(panels):
            axes = figure.add_subplot(rows, columns, index + 1)
            _paint(axes, panel)
            axes.set_xlim(first, last + 0.01 * (last - first or 1))
            axes.set_xlabel("epoch" if index + columns >= len(panels) else "")
            _head(axes, panel, legend=alone and len(panel.curves) > 1)
        if alone:
            figure.suptitle(title or runs[0].label, x=0.01, ha="left", weight="bold")
        else:
            _legend_of_runs(figure, [run.label for run in runs], title)
    return figure


def save(figure: "Figure", path: Path) -> None:
    """Write the image, whole or not at all, as PNG or SVG as the path ends."""
    from matplotlib import style

    with whole_file(path) as file, style.context(["default", STYLE]):
        figure.savefig(file, format=path.suffix.lower().removeprefix("."))


def read_runs(files: Iterable[Path]) -> list[Run]:
    """Read runs from their reports, each once, and name them by as much of their paths as tells them apart.

    Raises:
        UserError: a file cannot be read or has no reports.
    """
    paths = list(dict.fromkeys(files))
    parts = [(path.parent if path.name == METRICS_FILE else path).parts for path in paths]
    tails = [[own[-length:] for length in range(1, len(own) + 1)] for own in parts]
    unique = [next(tail for tail in own if sum(tail in other for other in tails) == 1) for own in tails]
    return [_read_run(path, str(Path(*tail))) for path, tail in zip(paths, unique, strict=True)]


def _read_run(path: Path, label: str) -> Run:
    try:
        run = Run(label, History(read_events(path)), str(read_options(path.parent).get("gan_mode", "")))
    except (AttributeError, TypeError) as error:
        raise UserError(f"{path} is not what a training writes ({error}); pass a run's {METRICS_FILE}") from error
    if not any(panel.curves for panel in _groups(run)):
        raise UserError(f"there are no reports in {path}; wait for the first one, or pass another run")
    return run


def _groups(run: Run) -> list[Panel]:
    """Return the panels, the same ones for every run; those of the machine alone are left out."""
    return [panel for panel in panels(run.history, run.gan_mode) if panel.name not in NOT_DRAWN]


def _compared(runs: Sequence[Run]) -> list[Panel]:
    """Return a panel for every curve that any of the runs has."""
    order = [run.label for run in runs]
    found: dict[tuple[str, str], dict[str, Panel]] = {}
    for groups in zip(*map(_groups, runs), strict=True):
        for label, group in zip(order, groups, strict=True):
            for name in group.curves:
                found.setdefault((group.kind, name), {})[label] = group
    panels = []
    for (kind, name), having in found.items():
        curves = {label: group.curves[name] for label, group in having.items()}
        levels = {text: y for group in having.values() for text, y in group.levels.items()}
        like = next(iter(having.values()))
        kind = "" if kind in name else kind
        panels.append(like._replace(title=name, kind=kind, curves=curves, order=order, levels=levels))
    return panels


def _paint(axes: "Axes", panel: Panel) -> None:
    """Draw each curve faintly as reported, and on top its moving average."""
    means = {name: curve.y if panel.exact else smooth(curve.mean) for name, curve in panel.curves.items()}
    for name, curve in panel.curves.items():
        index, dot = (panel.order or list(panel.curves)).index(name), "." if len(curve.x) == 1 else ""
        lines = axes.plot(curve.x, curve.y, linewidth=0.7, alpha=0.25)
        lines += axes.plot(curve.x, means[name], linewidth=1.6, zorder=3, label=name)
        for line in lines:
            line.set(color=colour(index), linestyle=DASHES[index // len(COLOURS) % len(DASHES)], marker=dot)
    for text, y in panel.levels.items():
        axes.axhline(y, color=GRAY, linewidth=0.9, linestyle="dashed", zorder=2.4)
        at, plate = axes.get_yaxis_transform(), {"color": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.2}
        label = axes.annotate(text, (0.99, y), (0, 3), xycoords=at, textcoords="offset points", ha="right", bbox=plate)
        label.set(size=7.5, color=GRAY, zorder=2.5)
    axes.set_ylim(*y_range(panel))
    if panel.shares:
        axes.yaxis.set_major_formatter("{x:.0%}")
    else:
        axes.ticklabel_format(axis="y", style="plain", useOffset=False)


def _head(axes: "Axes", panel: Panel, *, legend: bool) -> None:
    """Write the title, the kind and, if asked for, a legend below."""
    lines = [line for line in axes.lines if line.get_label() in panel.curves] if legend else []
    axes.set_title(panel.kind, loc="right", size=8, color=GRAY)
    axes.set_title(panel.title, pad=6 + 13 * math.ceil(len(lines) / 4))
    if lines:
        axes.legend(lines, list(panel.curves), loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0)


def _legend_of_runs(figure: "Figure", labels: Sequence[str], title: str) -> None:
    lines = {line.get_label(): line for axes in figure.axes for line in axes.lines}
    shown = [lines[label] for label in labels]
    columns = max(1, int(figure.get_figwidth() / (0.075 * max(map(len, labels)) + 0.5)))
    legend = figure.legend(shown, labels, loc="outside upper left", ncols=columns, title=title, alignment="left")
    legend.get_title().set_fontweight("bold")


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the runs that the command line names; return the exit code."""
    about = "Draw the curves of a run, or compare those of several, from what they have reported so far."
    example = f"For example: {PROGRAM} horse2zebra, or {PROGRAM} horse2zebra summer2winter --out compared.svg"
    parser = QuietParser(prog=PROGRAM, description=about, epilog=example)
    add = parser.add_argument
    add("runs", nargs="+", metavar="RUN", help=f"a run's folder, its {METRICS_FILE}, or its name")
    add("--out", type=Path, default="curves.png", metavar="FILE", help="PNG or SVG by its ending; default: %(default)s")
    add("--title", default="", metavar="TEXT", help="default: the name of a single run")
    add("--checkpoints_dir", type=Path, default="checkpoints", metavar="FOLDER", help="of runs; default: ./%(default)s")
    try:
        flags = parser.parse_args(arguments)
        if flags.out.suffix.lower() not in (".png", ".svg"):
            raise UserError(f"--out {flags.out} ends in neither .png nor .svg; type for example --out curves.png")
        runs = read_runs([find_metrics(given, flags.checkpoints_dir) for given in flags.runs])
        save(draw(runs, flags.title), flags.out)
    except (UserError, OSError) as error:
        reason = f"{error.filename}: {error.strerror}; pass another path" if isinstance(error, OSError) else error
        print(f"{PROGRAM}: error: {reason}", file=sys.stderr)
        return 2
    print(flags.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
