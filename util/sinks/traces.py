"""Loss histories as drawable lines: one trace per loss, thinned and smoothed.

What every chart of the losses shares, so that the web page and the dashboard agree on colours.
It draws nothing itself.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from util.sinks import Scalars

T = TypeVar("T")

# Mid tones that stay readable on white and on near black.
COLOURS = ("#4c8bf5", "#e8710a", "#1e9e6a", "#d93b6b", "#8e63ce", "#12a4b4", "#b7860b", "#8a8f98")


class Trace(NamedTuple):
    """One line: ``y`` is NaN where the loss was missing or not finite; ``x`` is always finite."""

    name: str
    x: list[float]
    y: list[float]


def traces(history: Sequence[Scalars]) -> list[Trace]:
    """Return one trace per loss name, in order of first appearance, x in epochs done."""
    events = [event for event in history if math.isfinite(event.position)]
    names = list(dict.fromkeys(name for event in events for name in event.losses))
    x = [event.position for event in events]
    return [Trace(name, x, [_finite(event.losses.get(name)) for event in events]) for name in names]


def _finite(value: float | None) -> float:
    return value if value is not None and math.isfinite(value) else math.nan


def colour(index: int) -> str:
    """Return the colour of the index-th loss as ``#rrggbb``."""
    return COLOURS[index % len(COLOURS)]


def is_reconstruction(name: str) -> bool:
    """Tell losses that compare two images (cycle, identity, L1) from those of the GAN game."""
    return name.startswith(("cycle", "idt")) or name.endswith("L1")


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


def smooth(values: Sequence[float], window: int) -> list[float]:
    """Return the exponential moving average over about ``window`` values; NaN is carried over.

    The first values are not biased towards zero (the correction of Adam, Kingma and Ba 2015, section 3).
    """
    keep = 1 - 1 / max(1, window)
    total = weight = 0.0
    result = []
    for value in values:
        if math.isfinite(value):
            total = keep * total + value
            weight = keep * weight + 1
        result.append(total / weight if weight else math.nan)
    return result
