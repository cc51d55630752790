"""Loss curves as inline SVG, without a plotting library.

Each loss is drawn twice: faintly as measured, and on top its moving average. Text and axes take the
colour of the page around them (``currentColor``), so they follow its dark mode.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from util.sinks import Scalars
from util.sinks.traces import Trace, colour, is_reconstruction, smooth, thin, traces

POINTS = 300  # per line
SAMPLES = 2000  # reports looked at, for the means
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 30  # pixels around the plot
LEGEND_ROW, LEGEND_COLUMNS = 20, 4


class Scale(NamedTuple):
    """Maps values in [low, high] to pixels from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def loss_charts(history: Sequence[Scalars], width: int, height: int) -> list[str]:
    """Return one SVG for the GAN losses and one for the reconstruction losses, if there are any."""
    lines = traces(thin(history, SAMPLES))  # so that a page costs the same late in a long run
    coloured = [(line, colour(index)) for index, line in enumerate(lines)]
    groups = {
        "GAN losses": [pair for pair in coloured if not is_reconstruction(pair[0].name)],
        "Reconstruction losses": [pair for pair in coloured if is_reconstruction(pair[0].name)],
    }
    return [_chart(title, pairs, width, height) for title, pairs in groups.items() if pairs]


def _chart(title: str, pairs: list[tuple[Trace, str]], width: int, height: int) -> str:
    """Draw one chart; ``height`` includes the legend below the axis."""
    legend_rows = math.ceil(len(pairs) / LEGEND_COLUMNS)
    floor = height - BOTTOM - LEGEND_ROW * legend_rows
    window = max(2, len(pairs[0][0].x) // 40)
    smoothed = [smooth(line.y, window) for line, _ in pairs]
    x = Scale(*_range([value for line, _ in pairs for value in line.x]), LEFT, width - RIGHT)
    y = Scale(0.0, _top(pairs, smoothed), floor, TOP)
    parts = [f'<text x="{LEFT}" y="21" font-weight="600">{escape(title)}</text>', _axes(x, y)]
    for (line, stroke), mean in zip(pairs, smoothed, strict=True):
        parts.append(_path(line.x, line.y, x, y, stroke, 'stroke-width="1" opacity="0.25"'))
        parts.append(_path(line.x, mean, x, y, stroke, 'stroke-width="1.8"'))
    parts.append(_legend(pairs, smoothed, width, floor + BOTTOM + 14))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="currentColor">{"".join(parts)}</svg>'
    )


def _range(values: list[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = 0.0 if low < high / 10 else low  # a run from the start begins at 0
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _top(pairs: list[tuple[Trace, str]], smoothed: list[list[float]]) -> float:
    """Return the top of the y axis: room for every mean, and for all but the wildest raw values."""
    raw = sorted(value for line, _ in pairs for value in line.y if math.isfinite(value))
    means = [value for mean in smoothed for value in mean if math.isfinite(value)]
    if not raw:
        return 1.0
    usual = raw[int(0.98 * (len(raw) - 1))]
    return max(max(means), usual, 1e-6) * 1.05


def _ticks(low: float, high: float, count: int) -> list[float]:
    """Return about ``count`` round numbers (steps of 1, 2 or 5 times a power of ten) in [low, high]."""
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _axes(x: Scale, y: Scale) -> str:
    grid = [
        f'<line x1="{x.start}" x2="{x.end}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="currentColor" '
        f'opacity="0.12"/><text x="{x.start - 8}" y="{y(value) + 4:.1f}" text-anchor="end" opacity="0.65">'
        f"{value:g}</text>"
        for value in _ticks(y.low, y.high, 5)
    ]
    labels = [
        f'<text x="{x(value):.1f}" y="{y.start + 18}" text-anchor="middle" opacity="0.65">{value:g}</text>'
        for value in _ticks(x.low, x.high, 7)
    ]
    unit = f'<text x="{x.end}" y="21" text-anchor="end" opacity="0.65">x: epoch</text>'
    return "".join(grid + labels) + unit


def _path(xs: Sequence[float], ys: Sequence[float], x: Scale, y: Scale, stroke: str, style: str) -> str:
    """Draw a line; it is broken where a value is NaN and clipped to the top of the plot."""
    commands, pen_down = [], False
    for px, py in thin(list(zip(xs, ys, strict=True)), POINTS):
        if math.isfinite(py):
            height = min(max(py, y.low), y.high)
            commands.append(f"{'L' if pen_down else 'M'}{x(px):.1f} {y(height):.1f}")
        pen_down = math.isfinite(py)
    return f'<path d="{"".join(commands)}" fill="none" stroke="{stroke}" stroke-linejoin="round" {style}/>'


def _legend(pairs: list[tuple[Trace, str]], smoothed: list[list[float]], width: int, top: float) -> str:
    """Name each line with the newest value of its mean."""
    column = (width - LEFT - RIGHT) / LEGEND_COLUMNS
    parts = []
    for index, ((line, fill), mean) in enumerate(zip(pairs, smoothed, strict=True)):
        left = LEFT + index % LEGEND_COLUMNS * column
        base = top + index // LEGEND_COLUMNS * LEGEND_ROW
        value = f"{mean[-1]:.3f}" if mean and math.isfinite(mean[-1]) else "–"
        parts.append(
            f'<rect x="{left:.1f}" y="{base - 9}" width="10" height="10" rx="2" fill="{fill}"/>'
            f'<text x="{left + 15:.1f}" y="{base}">{escape(line.name)} '
            f'<tspan opacity="0.65">{value}</tspan></text>'
        )
    return "".join(parts)
