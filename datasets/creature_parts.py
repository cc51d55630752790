"""What the demo animals are put together from: parts, eyes, legs and heads.

Every animal looks to the right, about one unit long, y down. A part's ``bands`` say where stripes would go,
measured from the animal's own shape, so that stripes can be predicted from the plain animal.
"""

from typing import Literal, NamedTuple

import numpy as np

from datasets.canvas import Label
from datasets.shapes import XY, Points, ellipse, leaf, limb

Paint = Literal["coat", "shade", "light", "accent", "white", "dark", "beak", "blush"]
Rng = np.random.Generator


class Bands(NamedTuple):
    """Stripes across a part: counted from ``origin`` along ``angle``, bent by ``bend``."""

    origin: XY
    angle: float = 0.0
    bend: float = 0.5


class Part(NamedTuple):
    """One shape of an animal; ``rim`` parts get an outline of their own inside the animal."""

    points: Points
    label: Label
    paint: Paint = "coat"
    bands: Bands | None = None
    rim: bool = False


def toward(start: XY, end: XY) -> float:
    """Give the angle of the way from one point to another."""
    return float(np.arctan2(end[1] - start[1], end[0] - start[0]))


def eye(at: XY, size: float, *, gaze: float = 0.2) -> list[Part]:
    """Draw an eye; ``gaze`` moves the pupil ahead."""
    x, y = at
    pupil = (x + gaze * size, y + 0.05 * size)
    shine = (pupil[0] + 0.2 * size, pupil[1] - 0.25 * size)
    return [
        Part(ellipse(at, size, size * 1.12), Label.EYE, "white", rim=True),
        Part(ellipse(pupil, size * 0.62, size * 0.72), Label.PUPIL, "dark"),
        Part(ellipse(shine, size * 0.2, size * 0.2), Label.PUPIL, "white"),
    ]


def _leg(hip: XY, foot: XY, width: float, *, paint: Paint) -> list[Part]:
    knee = ((hip[0] + foot[0]) / 2 + 0.015, (hip[1] + foot[1]) / 2)
    bands = Bands(foot, toward(foot, hip), 0.0)
    toe = ellipse((foot[0] + 0.012, foot[1] + width * 0.08), width * 0.62, width * 0.42)
    shin = limb([hip, knee, foot], [width * 1.35, width, width * 0.85])
    return [Part(shin, Label.LEG, paint, bands), Part(toe, Label.LEG, "dark")]


def four_legs(rng: Rng, belly: float, length: float, *, half: float, width: float) -> list[list[Part]]:
    """Give far and near legs, mid-stride."""
    stride = rng.uniform(-0.07, 0.07)
    pairs: list[list[Part]] = []
    sides: tuple[tuple[Paint, float, float], ...] = (("shade", -stride, 0.02), ("coat", stride, 0.0))
    for paint, swing, lift in sides:
        legs: list[Part] = []
        for end in (-1, 1):
            hip = (end * (half - 0.075) + 1.5 * lift, belly - 0.1)
            foot = (hip[0] - end * swing + end * 0.01, belly + length - lift)
            legs += _leg(hip, foot, width, paint=paint)
        pairs.append(legs)
    return pairs


def long_head(rng: Rng, at: XY, size: float) -> list[Part]:
    """Give a horse-like head seen from the side."""
    x, y = at
    drop = rng.uniform(0.35, 0.65)
    nose = (x + 1.5 * size * np.cos(drop), y + 1.5 * size * np.sin(drop))
    bands = Bands(at, drop, 0.0)
    nostril = ellipse((nose[0] + 0.25 * size, nose[1] - 0.12 * size), 0.1 * size, 0.1 * size)
    ears = [
        leaf((left, y - 0.5 * size), (left - 0.15 * size, y - 1.5 * size), 0.5 * size) for left in (x, x - 0.4 * size)
    ]
    return [
        Part(ears[0], Label.EAR, "shade", rim=True),
        Part(ears[1], Label.EAR, "coat", rim=True),
        Part(limb([at, nose], [1.5 * size, 1.05 * size]), Label.HEAD, "coat", bands),
        Part(ellipse(nose, 0.62 * size, 0.56 * size, angle=drop), Label.HEAD, "light"),
        Part(nostril, Label.PUPIL, "dark"),
        *eye((x + 0.2 * size, y - 0.12 * size), 0.27 * size),
    ]


def round_head(at: XY, size: float, *, pointed: bool, front: bool) -> list[Part]:
    """Give a cat-like head; ``front`` looks at the viewer, otherwise ahead."""
    x, y = at
    shift = 0.0 if front else 0.22 * size
    parts: list[Part] = []
    for side in (-1, 1):
        root = (x + side * 0.55 * size, y - 0.5 * size)
        if pointed:
            ear = leaf(root, (x + side * 0.85 * size, y - 1.4 * size), 0.75 * size)
        else:
            ear = ellipse((root[0], y - 0.8 * size), 0.34 * size, 0.34 * size)
        parts.append(Part(ear, Label.EAR, "shade", rim=True))
    parts.append(Part(ellipse(at, size * 1.08, size * 0.95), Label.HEAD, "coat", Bands(at, 0.0, 0.0), rim=True))
    parts.append(Part(ellipse((x + shift, y + 0.42 * size), 0.55 * size, 0.4 * size), Label.HEAD, "light"))
    parts.append(Part(ellipse((x + shift, y + 0.25 * size), 0.15 * size, 0.1 * size), Label.PUPIL, "dark"))
    for side in (-1, 1):
        parts += eye((x + shift + side * 0.42 * size, y - 0.1 * size), 0.21 * size, gaze=0.0 if front else 0.2)
    return parts
