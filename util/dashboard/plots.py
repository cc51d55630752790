"""The dashboard's charts as Plotly figures: plain dictionaries, ready for JSON."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from util.curves.history import History
from util.curves.panels import Panel, panels, y_range
from util.curves.traces import GRAY, colour, smooth

Figure = dict[str, Any]  # "data": traces, "layout"

WIDTH, LARGE, SMALL = 460, 340, 250  # pixels: of every window, and the heights of a first look and of a second one
BAR, TOP, AXIS = 20, 26, 36  # pixels: the bar of a window, Plotly's buttons, numbers and title of the x axis
LEGEND_ROW, LEGEND_ENTRY = 20, 115  # pixels: height of a row, width of an entry
FIRST_LOOK = ("gan", "reconstruction")


class Chart(NamedTuple):
    """A figure and its window: the name, the title, the height in pixels."""

    window: str
    title: str
    height: int
    figure: Figure


def window_names() -> set[str]:
    """Return the names of all windows that a chart can have."""
    return {panel.name for panel in panels(History(), "")}


def charts(history: History, gan_mode: str) -> list[Chart]:
    """Return the charts of what has been reported so far, in reading order."""
    heights = dict.fromkeys(FIRST_LOOK, LARGE)
    found = [(panel, heights.get(panel.name, SMALL)) for panel in panels(history, gan_mode) if panel.curves]
    return [Chart(panel.name, panel.title, height, figure(panel, height)) for panel, height in found]


def figure(panel: Panel, height: int) -> Figure:
    """Draw each curve faintly as reported, and on top its moving average, which has the legend.

    Args:
        height: of the window, in pixels.
    """
    curves, order = panel.curves, list(panel.order or panel.curves)
    raw, drawn = [], []
    for name, curve in curves.items():
        mode = "lines" if len(curve.x) > 1 else "markers"  # a line through one point is nothing
        line = {"type": "scatter", "mode": mode, "x": rounded(curve.x, 6), "legendgroup": name}
        stroke = colour(order.index(name))
        # Faint by colour: the page of visdom resets the opacity of a trace.
        faint = {"line": {"color": f"{stroke}40", "width": 1}, "showlegend": False, "hoverinfo": "skip"}
        mean = rounded(curve.y if panel.exact else smooth(curve.mean))
        raw.append({**line, "name": f"{name} (measured)", "y": rounded(curve.y), **faint})
        drawn.append({**line, "name": name, "y": mean, "line": {"color": stroke, "width": 2}})
    ends = [min(curve.x[0] for curve in curves.values()), max(curve.x[-1] for curve in curves.values())]
    drawn += [_level(text, y, ends) | {"showlegend": not panel.shares} for text, y in panel.levels.items()]
    entries = sum(bool(trace.get("showlegend", True)) for trace in drawn)
    has_legend = entries > 1 or bool(panel.order)  # other curves are named by the title
    legend_rows = math.ceil(entries * LEGEND_ENTRY / WIDTH) if has_legend else 0
    below = AXIS + LEGEND_ROW * legend_rows
    numbers = ".0%" if panel.shares else ".1e" if panel.exact else ""
    layout = {
        "margin": {"l": 48, "r": 14, "t": TOP, "b": below},
        "legend": {"orientation": "h", "y": -AXIS / (height - BAR - TOP - below), "yanchor": "top"},
        "showlegend": has_legend,
        "hovermode": "x unified",
        "xaxis": {"title": {"text": "epoch", "standoff": 4}, "rangemode": "nonnegative"},
        "yaxis": {"range": list(y_range(panel))} | ({"tickformat": numbers} if numbers else {}),
    }
    return {"data": raw + drawn, "layout": layout}


def rounded(values: Sequence[float], digits: int = 5) -> list[float | None]:
    """Return the values with so many significant digits; what JSON has no word for becomes a gap."""
    return [float(f"{value:.{digits}g}") if math.isfinite(value) else None for value in values]


def _level(text: str, y: float, ends: Sequence[float]) -> Figure:
    line = {"color": GRAY, "width": 1, "dash": "dash"}
    return {"type": "scatter", "mode": "lines", "name": text, "x": list(ends), "y": [y, y], "line": line}
