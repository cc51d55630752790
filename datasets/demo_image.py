"""One demo image: a creature in a scene, plain or striped, with its label map."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from datasets.canvas import Canvas, Colour, Label, mix
from datasets.creature_parts import Bands, Paint, Part
from datasets.creatures import SPECIES
from datasets.scenery import SCENES, UNDERWATER, paint_scene
from datasets.shapes import Points, bounds, ellipse, turn

STRIPE_PERIOD = 0.1  # of the image's side: a dark and a light band together
DARK_SHARE = 0.48  # of a period
OUTLINE = 0.0045
COATS: list[Colour] = [
    (244, 236, 222),
    (240, 196, 120),
    (232, 150, 92),
    (214, 176, 142),
    (246, 176, 170),
    (190, 208, 220),
    (176, 214, 166),
    (200, 178, 226),
    (250, 218, 110),
    (150, 204, 208),
]
ACCENTS: list[Colour] = [(196, 96, 84), (96, 124, 178), (232, 158, 84), (122, 158, 106), (168, 112, 160)]


class Pose(NamedTuple):
    """Where a creature's own frame lies in the image."""

    flip: float  # 1 looks right, -1 left
    size: float
    tilt: float
    x: float
    y: float

    def place(self, points: Points) -> Points:
        """Take points from the creature's frame to the image (unit square)."""
        return turn(points * [self.flip, 1], self.tilt) * self.size + [self.x, self.y]

    def recall(self, points: Points) -> Points:
        """Take points from the image back to the creature's frame."""
        return turn((points - [self.x, self.y]) / self.size, -self.tilt) * [self.flip, 1]


def _pose(rng: np.random.Generator, parts: list[Part], *, floor: tuple[float, float], swims: bool) -> Pose:
    """Choose a size and a place in which the whole creature is inside the image."""
    flip = float(rng.choice([-1.0, 1.0]))
    tilt = rng.uniform(-0.2, 0.2) if swims else rng.uniform(-0.04, 0.04)
    around = Pose(flip, 1.0, tilt, 0.0, 0.0)
    left, top, right, bottom = bounds([around.place(part.points) for part in parts])
    size = min(rng.uniform(0.6, 0.8) / (right - left), rng.uniform(0.6, 0.76) / (bottom - top))
    room = 0.025
    x = rng.uniform(room - left * size, 1 - room - right * size)
    if swims:
        y = rng.uniform(room - top * size, 0.9 - bottom * size)
    else:
        y = max(rng.uniform(*floor) - bottom * size, room - top * size)
    return Pose(flip, float(size), float(tilt), float(x), float(y))


def _paints(rng: np.random.Generator, coat: Colour, accent: Colour) -> dict[Paint, Colour]:
    coat = mix(coat, np.asarray(coat) + rng.normal(0, 6, size=3), 1.0)
    return {
        "coat": coat,
        "shade": mix(coat, (60, 50, 70), 0.22),
        "light": mix(coat, (255, 250, 240), 0.55),
        "accent": accent,
        "white": (255, 255, 255),
        "dark": (52, 42, 46),
        "beak": (244, 168, 60),
        "blush": mix(coat, (240, 110, 110), 0.5),
    }


def _paint_creature(canvas: Canvas, parts: list[Part], pose: Pose, *, paints: dict[Paint, Colour]) -> None:
    line = mix(paints["coat"], (50, 36, 44), 0.62)
    placed = [pose.place(part.points) for part in parts]
    for points, part in zip(placed, parts, strict=True):
        canvas.outline(points, line, part.label, OUTLINE)
    for number, (points, part) in enumerate(zip(placed, parts, strict=True), start=1):
        if part.rim:
            canvas.outline(points, line, part.label, OUTLINE * 0.7)
        canvas.fill(points, paints[part.paint], part.label, part=number if part.bands else 0)
    _, top, _, bottom = bounds(placed)
    canvas.shade(Label.BODY, Label.BEAK, top=top, bottom=bottom)


def _dark(points: Points, bands: Bands, pose: Pose) -> NDArray[np.bool_]:
    """Say which image points (N x 2, unit square) lie on a dark band.

    Bands are counted in the creature's frame but are equally wide in every image.
    """
    own = turn(pose.recall(points) - np.asarray(bands.origin), -bands.angle) * pose.size
    across = own[:, 0] + bands.bend * own[:, 1] ** 2 / 0.3
    return np.abs((across / STRIPE_PERIOD + 0.5) % 1.0 - 0.5) < DARK_SHARE / 2


def _stripes(canvas: Canvas, parts: list[Part], pose: Pose) -> NDArray[np.bool_]:
    numbers = np.asarray(canvas.parts)
    dark = np.zeros(numbers.shape, dtype=bool)
    for number, part in enumerate(parts, start=1):
        if part.bands:
            rows, columns = np.nonzero(numbers == number)
            points = (np.stack([columns, rows], axis=1) + 0.5) / canvas.side
            dark[rows, columns] = _dark(points, part.bands, pose)
    return dark


def draw_image(rng: np.random.Generator, size: int, *, own_colours: bool = False) -> Canvas:
    """Draw one creature in one scene.

    Args:
        rng: decides everything; equal states give equal images.
        size: side in pixels.
        own_colours: give every species its own coat, so that colours follow from a label map.
    """
    names = list(SPECIES)
    kind = int(rng.integers(len(names)))
    swims = names[kind] == "fish"
    scene = UNDERWATER if swims else SCENES[list(SCENES)[int(rng.integers(len(SCENES)))]]
    coat = COATS[kind if own_colours else int(rng.integers(len(COATS)))]
    accent = ACCENTS[(kind if own_colours else int(rng.integers(len(ACCENTS)))) % len(ACCENTS)]

    canvas = Canvas(size)
    horizon = paint_scene(canvas, rng, scene)
    parts = SPECIES[names[kind]](rng)
    pose = _pose(rng, parts, floor=(horizon + 0.14, 0.94), swims=swims)
    if not swims:
        left, _, right, bottom = bounds([pose.place(part.points) for part in parts])
        shadow = ellipse(((left + right) / 2, bottom - 0.005), (right - left) * 0.45, 0.028)
        canvas.glaze(shadow, mix(scene.ground[1], (20, 20, 50), 0.6), 0.45)
    _paint_creature(canvas, parts, pose, paints=_paints(rng, coat, accent))
    canvas.stripes = _stripes(canvas, parts, pose)
    return canvas
