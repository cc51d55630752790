"""Outlines of simple shapes as arrays of points (N x 2, x to the right, y down).

Only geometry: nothing here knows about pixels, colours or creatures.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
XY = tuple[float, float]


def turn(points: Points, angle: float) -> Points:
    """Rotate about the origin; a positive ``angle`` (radians) turns x towards y."""
    c, s = np.cos(angle), np.sin(angle)
    turned: Points = points @ np.array([[c, s], [-s, c]])
    return turned


def ellipse(centre: XY, rx: float, ry: float, *, angle: float = 0.0, squareness: float = 2.0) -> Points:
    """Outline an ellipse, or a rounder box for ``squareness`` above 2."""
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    c, s = np.cos(t), np.sin(t)
    power = 2.0 / squareness
    corners = np.stack([rx * np.sign(c) * np.abs(c) ** power, ry * np.sign(s) * np.abs(s) ** power], axis=1)
    moved: Points = turn(corners, angle) + np.asarray(centre)
    return moved


def smooth(corners: Sequence[XY], *, closed: bool = True, steps: int = 10) -> Points:
    """Draw a Catmull-Rom curve through every corner."""
    p = np.asarray(corners, dtype=float)
    padded = (
        np.concatenate([p[-1:], p, p[:2]]) if closed else np.concatenate([2 * p[:1] - p[1:2], p, 2 * p[-1:] - p[-2:-1]])
    )
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        cubic = (-a + 3 * b - 3 * c + d) * t**3 + (2 * a - 5 * b + 4 * c - d) * t**2 + (c - a) * t + 2 * b
        pieces.append(0.5 * cubic)
    if not closed:
        pieces.append(p[-1:])
    return np.concatenate(pieces)


def symmetric(half: Sequence[XY]) -> Points:
    """Draw a smooth shape from its right half, whose first and last corner lie on x = 0."""
    return smooth([*half, *((-x, y) for x, y in reversed(half[1:-1]))])


def limb(path: Sequence[XY], widths: Sequence[float]) -> Points:
    """Outline a rounded stroke along a smooth path, its width going through ``widths``."""
    spine = smooth(path, closed=False)
    width = np.interp(np.linspace(0, 1, len(spine)), np.linspace(0, 1, len(widths)), widths)[:, None] / 2
    tangent = np.gradient(spine, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    t = np.linspace(0, np.pi, 9)[1:-1, None]
    end = spine[-1] + width[-1] * (np.cos(t) * normal[-1] + np.sin(t) * tangent[-1])
    start = spine[0] - width[0] * (np.cos(t) * normal[0] + np.sin(t) * tangent[0])
    return np.concatenate([spine + width * normal, end, (spine - width * normal)[::-1], start])


def leaf(root: XY, tip: XY, width: float) -> Points:
    """Outline a leaf: pointed at the tip, round at the root (ears, feathers, flames)."""
    a, b = np.asarray(root, dtype=float), np.asarray(tip, dtype=float)
    along = b - a
    side = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-9) * width / 2
    left = [a + 0.15 * along + 0.8 * side, a + 0.42 * along + side, a + 0.75 * along + 0.55 * side]
    right = [a + 0.75 * along - 0.55 * side, a + 0.42 * along - side, a + 0.15 * along - 0.8 * side]
    return smooth([(float(x), float(y)) for x, y in [a, *left, b, *right]], steps=5)


def bounds(shapes: Sequence[Points]) -> tuple[float, float, float, float]:
    """Give left, top, right and bottom of several shapes together."""
    everything = np.concatenate(list(shapes))
    left, top = everything.min(axis=0)
    right, bottom = everything.max(axis=0)
    return float(left), float(top), float(right), float(bottom)
