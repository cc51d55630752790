"""Backgrounds for the demo images: sky, hills, ground, trees, water."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from datasets.canvas import Canvas, Colour, Label, mix
from datasets.shapes import XY, Points, ellipse, leaf, limb

Plant = Literal["round", "pine", "cactus", "weed"]
WHITE: Colour = (255, 255, 255)
SQUARE: Points = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=float)


@dataclass(frozen=True)
class Scene:
    """The colours and furniture of one kind of place."""

    sky: tuple[Colour, Colour]
    hills: tuple[Colour, Colour]
    ground: tuple[Colour, Colour]
    sky_label: Label = Label.SKY
    ground_label: Label = Label.GRASS
    sun: Colour | None = None
    clouds: Colour | None = None
    plant: Plant = "round"
    leaves: Colour = (70, 140, 80)
    stars: bool = False


SCENES: dict[str, Scene] = {
    "meadow": Scene(
        sky=((112, 190, 240), (222, 242, 250)),
        hills=((150, 196, 190), (126, 186, 120)),
        ground=((142, 204, 104), (92, 164, 78)),
        sun=(255, 226, 110),
        clouds=WHITE,
        leaves=(66, 140, 84),
    ),
    "desert": Scene(
        sky=((130, 200, 226), (250, 232, 200)),
        hills=((226, 176, 140), (222, 164, 112)),
        ground=((244, 212, 146), (222, 176, 104)),
        ground_label=Label.SAND,
        sun=(255, 240, 160),
        plant="cactus",
        leaves=(92, 156, 100),
    ),
    "sunset": Scene(
        sky=((118, 96, 168), (255, 176, 120)),
        sky_label=Label.SUNSET_SKY,
        hills=((170, 112, 150), (128, 96, 134)),
        ground=((156, 146, 98), (108, 104, 82)),
        sun=(255, 224, 150),
        clouds=(255, 196, 170),
        leaves=(86, 92, 90),
    ),
    "snow": Scene(
        sky=((152, 190, 224), (232, 238, 246)),
        hills=((188, 206, 226), (210, 224, 238)),
        ground=((246, 249, 253), (206, 222, 240)),
        ground_label=Label.SNOW,
        clouds=(250, 250, 252),
        plant="pine",
        leaves=(84, 134, 122),
    ),
    "night": Scene(
        sky=((24, 28, 78), (84, 90, 156)),
        sky_label=Label.NIGHT_SKY,
        hills=((62, 72, 128), (52, 78, 104)),
        ground=((70, 112, 96), (42, 78, 80)),
        sun=(250, 244, 208),
        plant="pine",
        leaves=(40, 78, 84),
        stars=True,
    ),
    "shore": Scene(
        sky=((120, 204, 236), (236, 246, 240)),
        hills=((84, 180, 204), (70, 164, 196)),
        ground=((246, 224, 170), (228, 194, 130)),
        ground_label=Label.SAND,
        sun=(255, 232, 130),
        clouds=WHITE,
    ),
}
UNDERWATER = Scene(
    sky=((110, 206, 222), (24, 98, 156)),
    sky_label=Label.SEA,
    hills=((48, 134, 176), (38, 116, 158)),
    ground=((226, 208, 160), (176, 160, 130)),
    ground_label=Label.SAND,
    plant="weed",
    leaves=(48, 150, 116),
)


def _ridge(rng: np.random.Generator, height: float, roughness: float) -> Points:
    x = np.linspace(0, 1, 40)
    y = np.full_like(x, height)
    for waves in (1.0, 2.3, 4.1):
        y += roughness / waves * np.sin(2 * np.pi * (waves * x * rng.uniform(0.7, 1.2) + rng.uniform()))
    top = np.stack([x, y], axis=1)
    return np.concatenate([top, [[1.0, 1.0], [0.0, 1.0]]])


def _sun(canvas: Canvas, rng: np.random.Generator, *, colour: Colour, horizon: float) -> None:
    at = (rng.uniform(0.1, 0.9), rng.uniform(0.08, max(0.1, horizon - 0.35)))
    radius = rng.uniform(0.045, 0.075)
    for spread, opacity in ((2.4, 0.12), (1.8, 0.16), (1.35, 0.25)):
        canvas.glaze(ellipse(at, radius * spread, radius * spread), colour, opacity)
    canvas.fill(ellipse(at, radius, radius), colour, Label.SUN)


def _cloud(canvas: Canvas, rng: np.random.Generator, *, colour: Colour) -> None:
    x, y, size = rng.uniform(0.05, 0.95), rng.uniform(0.06, 0.3), rng.uniform(0.03, 0.055)
    for dx, dy, r in ((-1.5, 0.2, 0.8), (0, -0.2, 1.15), (1.4, 0.15, 0.85), (0, 0.45, 1.0)):
        puff = ellipse((x + dx * size, y + dy * size), r * size * 1.25, r * size * 0.8)
        canvas.fill(puff, colour, Label.CLOUD)


def _plant(canvas: Canvas, at: XY, height: float, *, kind: Plant, leaves: Colour) -> None:
    x, y = at
    trunk = mix((126, 88, 60), leaves, 0.25)
    if kind == "cactus":
        for side, low in ((-1, 0.45), (1, 0.3)):
            arm = [(x, y - low * height), (x + side * 0.22 * height, y - low * height)]
            arm.append((x + side * 0.25 * height, y - (low + 0.3) * height))
            canvas.fill(limb(arm, [0.11 * height]), leaves, Label.LEAVES)
        canvas.fill(limb([(x, y), (x, y - 0.92 * height)], [0.17 * height]), leaves, Label.LEAVES)
    elif kind == "weed":
        for lean in (-0.16, 0.02, 0.2):
            sway = [(x + lean * height * 0.4, y), (x + lean * height * 1.5, y - 0.5 * height)]
            sway.append((x + lean * height, y - height))
            canvas.fill(limb(sway, [0.14 * height, 0.1 * height, 0.02 * height]), leaves, Label.LEAVES)
    else:
        canvas.fill(limb([(x, y), (x, y - 0.5 * height)], [0.12 * height]), trunk, Label.TRUNK)
        if kind == "pine":
            for low, wide in ((0.2, 0.62), (0.42, 0.5), (0.62, 0.36)):
                base, tip = y - low * height, y - (low + 0.42) * height
                triangle = np.array([[x - wide * height / 2, base], [x + wide * height / 2, base], [x, tip]])
                canvas.fill(triangle, mix(leaves, WHITE, (low - 0.2) * 0.3), Label.LEAVES)
        else:
            canvas.fill(ellipse((x, y - 0.68 * height), 0.3 * height, 0.34 * height), leaves, Label.LEAVES)
            light = ellipse((x - 0.07 * height, y - 0.76 * height), 0.17 * height, 0.19 * height)
            canvas.fill(light, mix(leaves, WHITE, 0.14), Label.LEAVES)


def _specks(canvas: Canvas, rng: np.random.Generator, *, scene: Scene, horizon: float) -> None:
    """Scatter small things: stars in the sky, bubbles in the sea, tufts and flowers on the ground."""
    if scene.stars:
        for _ in range(14):
            r = rng.uniform(0.003, 0.006)
            canvas.glaze(ellipse((rng.uniform(), rng.uniform(0, horizon - 0.2)), r, r), WHITE, 0.9)
    if scene.plant == "weed":
        for _ in range(7):
            r = rng.uniform(0.006, 0.018)
            canvas.glaze(ellipse((rng.uniform(), rng.uniform(0, 0.8)), r, r), WHITE, 0.4)
    tint = mix(scene.ground[1], scene.ground[0] if scene.ground_label == Label.SNOW else (0, 0, 0), 0.15)
    for _ in range(9):
        x, y = rng.uniform(), rng.uniform(horizon + 0.05, 0.99)
        tuft = 0.03 * (0.4 + y)
        if scene.ground_label == Label.GRASS:
            for lean in (-0.5, 0.0, 0.5):
                canvas.fill(leaf((x, y), (x + lean * tuft, y - tuft), tuft / 3), tint, Label.GRASS)
        else:
            canvas.fill(ellipse((x, y), tuft * 0.5, tuft * 0.16), tint, scene.ground_label)


def paint_scene(canvas: Canvas, rng: np.random.Generator, scene: Scene) -> float:
    """Cover the canvas with a place and return the height of its horizon (0 top, 1 bottom)."""
    horizon = rng.uniform(0.78, 0.86) if scene is UNDERWATER else rng.uniform(0.56, 0.68)
    mood = rng.normal(0, 5, size=3)  # one tint for the whole place, so that its colours stay in tune

    def tuned(colour: Colour) -> Colour:
        return mix(colour, np.asarray(colour) + mood, 1.0)

    canvas.fade(SQUARE, tuned(scene.sky[0]), tuned(scene.sky[1]), label=scene.sky_label)
    if scene.sun:
        _sun(canvas, rng, colour=scene.sun, horizon=horizon)
    if scene.clouds:
        for _ in range(int(rng.integers(1, 4))):
            _cloud(canvas, rng, colour=scene.clouds)
    if scene is SCENES["shore"]:
        top = np.array([[0, horizon - 0.13], [1, horizon - 0.13], [1, 1], [0, 1]])
        canvas.fade(top, tuned(scene.hills[1]), (190, 240, 236), label=Label.WATER)
    else:
        for lift, roughness, colour, label in (
            (0.15, 0.05, scene.hills[0], Label.FAR_HILL),
            (0.06, 0.035, scene.hills[1], Label.NEAR_HILL),
        ):
            ridge = _ridge(rng, horizon - lift, roughness)
            canvas.fade(ridge, tuned(colour), tuned(mix(colour, WHITE, 0.2)), label=label)
    shore = _ridge(rng, horizon, 0.008)
    canvas.fade(shore, tuned(scene.ground[0]), tuned(scene.ground[1]), label=scene.ground_label)
    _specks(canvas, rng, scene=scene, horizon=horizon)
    for _ in range(int(rng.integers(1, 4))):
        at = (rng.uniform(0.03, 0.97), horizon + rng.uniform(0.015, 0.05))
        _plant(canvas, at, rng.uniform(0.16, 0.34), kind=scene.plant, leaves=tuned(scene.leaves))
    return float(horizon)
