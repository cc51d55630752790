"""Loss curves as SVG files, without a plotting library.

Each loss is drawn twice: faintly as measured, and on top its moving average. A drawing takes no colours from the page
that shows it, so it brings those of ``util.html_page``, in the light and in the dark.
"""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from util.curves.history import Curve
from util.curves.traces import colour, is_reconstruction, smooth, thin, usual_range

POINTS = 300  # per line
LEFT, RIGHT, TOP, BOTTOM = 46, 14, 34, 30  # pixels around the plot
LEGEND_ROW, LEGEND_COLUMNS = 20, 4
CHARACTER = 8  # pixels; a little more than a character of a text line takes
STYLE = (
    "<style>svg{color:#1f2328}.card{background:#fff}"
    "@media (prefers-color-scheme:dark){svg{color:#e6e8eb}.card{background:#1b1f24}}"
    "@media (max-width:480px){.card{font-size:15px}}</style>"  # shown on a phone, at about half its size
)


class Scale(NamedTuple):
    """Maps values in [low, high] to pixels from ``start`` to ``end``."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


class Line(NamedTuple):
    """A curve as it is drawn."""

    name: str
    x: list[float]
    y: list[float]
    mean: list[float]
    colour: str


def loss_charts(losses: Mapping[str, Curve], width: int, height: int) -> dict[str, str]:
    """Return, by title, one SVG for the GAN losses and one for the reconstruction losses, if there are any."""
    lines = [
        Line(name, curve.x, curve.y, smooth(curve.mean), colour(index))
        for index, (name, curve) in enumerate(losses.items())
    ]
    groups = {
        "GAN losses": [line for line in lines if not is_reconstruction(line.name)],
        "Reconstruction losses": [line for line in lines if is_reconstruction(line.name)],
    }
    return {title: _chart(title, group, width, height) for title, group in groups.items() if group}


def text_line(text: str) -> str:
    """Return an SVG of one line of faint text."""
    return _svg(text, f'<text y="16" font-size="14" opacity="0.65">{escape(text)}</text>', CHARACTER * len(text), 22)


def _chart(title: str, lines: list[Line], width: int, height: int) -> str:
    """Draw one chart; ``height`` includes the legend below the axis."""
    legend_rows = math.ceil(len(lines) / LEGEND_COLUMNS)
    floor = height - BOTTOM - LEGEND_ROW * legend_rows
    x = Scale(*_range([value for line in lines for value in line.x]), LEFT, width - RIGHT)
    top = max(usual_range(value for line in lines for value in line.y)[1], 1e-6) * 1.05
    y = Scale(0.0, top, floor, TOP)
    parts = [f'<text x="{LEFT}" y="21" font-weight="600">{escape(title)}</text>', _axes(x, y)]
    for line in lines:
        parts.append(_path(line.x, line.y, x, y, line.colour, 'stroke-width="1" opacity="0.25"'))
        parts.append(_path(line.x, line.mean, x, y, line.colour, 'stroke-width="1.8"'))
    parts.append(_legend(lines, width, floor + BOTTOM + 14))
    return _svg(title, "".join(parts), width, height, kind="card")


def _svg(title: str, content: str, width: int, height: int, *, kind: str = "") -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'class="{kind}" role="img" aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="currentColor">{STYLE}{content}</svg>'
    )


def _range(values: list[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    low = 0.0 if low < high / 10 else low  # a run from the start begins at 0
    return (low, high) if high > low else (low - 0.5, low + 0.5)


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


def _legend(lines: list[Line], width: int, top: float) -> str:
    """Name each line with the newest value of its mean."""
    column = (width - LEFT - RIGHT) / LEGEND_COLUMNS
    parts = []
    for index, line in enumerate(lines):
        left = LEFT + index % LEGEND_COLUMNS * column
        base = top + index // LEGEND_COLUMNS * LEGEND_ROW
        value = f"{line.mean[-1]:.3f}" if line.mean and math.isfinite(line.mean[-1]) else "–"
        parts.append(
            f'<rect x="{left:.1f}" y="{base - 9}" width="10" height="10" rx="2" fill="{line.colour}"/>'
            f'<text x="{left + 15:.1f}" y="{base}">{escape(line.name)} '
            f'<tspan opacity="0.65">{value}</tspan></text>'
        )
    return "".join(parts)
