"""What every chart shares, so that the web page, the dashboard and the plots agree: colours, groups, smoothing."""

import math
from collections.abc import Iterable, Sequence
from typing import TypeVar

T = TypeVar("T")

SMALLEST_WINDOW = 5  # values
ROOM = 2.0

# Mid tones that stay readable on white and on near black.
COLOURS = ("#4c8bf5", "#e8710a", "#1e9e6a", "#d93b6b", "#8e63ce", "#12a4b4", "#b7860b", "#8a8f98")

GRAY = "#8a8f98"


def colour(index: int) -> str:
    """Return the colour of the index-th loss as ``#rrggbb``."""
    return COLOURS[index % len(COLOURS)]


def is_reconstruction(name: str) -> bool:
    """Tell losses that compare two images (cycle, identity, L1, contrast) from those of the GAN game."""
    return name.startswith(("cycle", "idt", "NCE")) or name.endswith("L1")


def thin(items: Sequence[T], limit: int) -> list[T]:
    """Pick at most ``limit`` items, evenly and always the first and the last.

    The stride is a power of two: as a history grows, points drop out but never move, so a redrawn curve
    does not flicker.
    """
    stride = 1
    while math.ceil(len(items) / stride) + 1 > limit and stride < len(items):
        stride *= 2
    picked = list(items[::stride])
    if items and (len(items) - 1) % stride:
        picked.append(items[-1])
    return picked


def usual_range(values: Iterable[float]) -> tuple[float, float]:
    """Return the ends of an axis for values of which the wildest may lie outside; (0, 1) if none is finite.

    Everything is inside that is no farther from the middle 90 % than ``ROOM`` times their width.
    """
    inside = sorted(value for value in values if math.isfinite(value))
    if not inside:
        return 0.0, 1.0
    low, high = inside[int(0.05 * len(inside))], inside[math.ceil(0.95 * len(inside)) - 1]
    room = ROOM * (high - low)
    return max(inside[0], low - room), min(inside[-1], high + room)


def smooth(values: Sequence[float]) -> list[float]:
    """Return the exponential moving average over about a fortieth of the values; NaN is carried over.

    The first values are not biased towards zero (the correction of Adam, Kingma and Ba 2015, section 3).
    """
    keep = 1 - 1 / max(SMALLEST_WINDOW, len(values) // 40)
    total = weight = 0.0
    result = []
    for value in values:
        if math.isfinite(value):
            total = keep * total + value
            weight = keep * weight + 1
        result.append(total / weight if weight else math.nan)
    return result
