"""The animals of the demo images, each a list of parts from back to front."""

from collections.abc import Callable

import numpy as np

from datasets.canvas import Label
from datasets.creature_parts import Bands, Part, Rng, eye, four_legs, long_head, round_head, toward
from datasets.shapes import ellipse, leaf, limb, smooth, symmetric


def horse(rng: Rng) -> list[Part]:
    """Draw a horse, sometimes a long-necked one."""
    tall = rng.uniform(0.14, 0.19)
    neck = rng.uniform(0.2, 0.42)
    lean = rng.uniform(0.5, 0.8)
    far, near = four_legs(rng, tall, rng.uniform(0.22, 0.32), half=0.34, width=0.085)
    chest = (0.25, -0.04)
    poll = (chest[0] + neck * np.cos(lean) + 0.04, chest[1] - neck * np.sin(lean) - 0.06)
    dock, droop = (-0.33, -0.05), rng.uniform(0.1, 0.28)
    tail = limb([dock, (-0.43, 0.0), (-0.45, droop)], [0.05, 0.1, 0.03])
    crest = ((poll[0] + 0.1) / 2, poll[1] / 2 - 0.12)
    mane = limb([(0.16, -0.14), crest, (poll[0] - 0.06, poll[1] - 0.05)], [0.1, 0.12, 0.08])
    return [
        *far,
        Part(tail, Label.TAIL, "accent"),
        Part(mane, Label.TAIL, "accent"),
        Part(ellipse((0, 0), 0.37, tall, squareness=2.4), Label.BODY, "coat", Bands((0, 0))),
        *near,
        Part(limb([chest, poll], [0.24, 0.14]), Label.BODY, "coat", Bands(chest, toward(chest, poll), 0.3)),
        *long_head(rng, poll, 0.1),
    ]


def prowler(rng: Rng) -> list[Part]:
    """Draw a walking cat, dog or bear: round head, low neck, curling tail."""
    tall = rng.uniform(0.15, 0.22)
    far, near = four_legs(rng, tall, rng.uniform(0.1, 0.22), half=0.34, width=rng.uniform(0.085, 0.12))
    head = (0.38, -rng.uniform(0.1, 0.22))
    curl = rng.uniform(0.1, 0.4)
    tail = limb([(-0.32, -0.05), (-0.47, -0.08 - curl / 3), (-0.43, -0.1 - curl)], [0.08, 0.07, 0.06])
    pointed = bool(rng.uniform() < 0.6)
    return [
        *far,
        Part(tail, Label.TAIL, "coat", Bands((-0.32, -0.05), -1.9, 0.0)),
        Part(ellipse((0, 0), 0.38, tall, squareness=2.5), Label.BODY, "coat", Bands((0, 0))),
        *near,
        *round_head(head, rng.uniform(0.15, 0.185), pointed=pointed, front=False),
    ]


def dinosaur(rng: Rng) -> list[Part]:
    """Draw a long-necked dinosaur with a long tail."""
    tall = rng.uniform(0.15, 0.19)
    far, near = four_legs(rng, tall, rng.uniform(0.1, 0.15), half=0.27, width=0.11)
    rise = rng.uniform(0.26, 0.4)
    head = (0.43, -0.08 - rise)
    neck = limb([(0.16, 0.0), (0.32, -0.08), (0.39, -0.08 - 0.6 * rise), head], [0.26, 0.17, 0.12, 0.1])
    tip = rng.uniform(-0.12, 0.1)
    tail = limb([(-0.15, 0.0), (-0.4, 0.05), (-0.62, tip)], [0.25, 0.14, 0.02])
    mouth = ellipse((head[0] + 0.06, head[1] + 0.005), 0.125, 0.075, angle=0.12)
    return [
        *far,
        Part(tail, Label.TAIL, "coat", Bands((-0.06, 0.0), 0.0, 0.2)),
        Part(neck, Label.BODY, "coat", Bands((0.3, 0.0), -1.2, 0.2)),
        Part(ellipse((0, 0), 0.31, tall), Label.BODY, "coat", Bands((0, 0))),
        *near,
        Part(mouth, Label.HEAD, "coat"),
        *eye((head[0] + 0.05, head[1] - 0.025), 0.03),
    ]


def bird(rng: Rng) -> list[Part]:
    """Draw a plump standing bird."""
    tilt, plump = rng.uniform(-0.35, -0.05), rng.uniform(0.21, 0.27)
    head = (0.25, -rng.uniform(0.22, 0.32))
    foot = plump + rng.uniform(0.1, 0.22)
    legs = [
        Part(limb([(x, plump - 0.06), (x + 0.01, foot), (x + 0.06, foot)], [0.028]), Label.LEG, "beak")
        for x in (-0.04, 0.07)
    ]
    tail = [
        Part(leaf((-0.22, 0.04), (-0.56, y), 0.13), Label.TAIL, "accent", rim=True)
        for y in (rng.uniform(-0.12, 0.0), rng.uniform(0.04, 0.16))
    ]
    wing = smooth([(0.12, -0.04), (0.02, -0.1), (-0.16, -0.05), (-0.32, 0.09), (-0.12, 0.12), (0.06, 0.09)])
    beak = np.array([[head[0] + 0.1, -0.06], [head[0] + 0.1, 0.05], [head[0] + 0.27, 0.015]]) + [0, head[1]]
    nape = (head[0] - 0.02, head[1] - 0.08)
    crest = [leaf(nape, (head[0] + x, head[1] - 0.24), 0.06) for x in (-0.13, -0.05)]
    crested = rng.uniform() < 0.5
    return [
        *legs,
        *tail,
        *(Part(feather, Label.EAR, "accent") for feather in crest if crested),
        Part(beak, Label.BEAK, "beak"),
        Part(ellipse((0, 0), 0.35, plump, angle=tilt), Label.BODY, "coat", Bands((0, 0))),
        Part(ellipse(head, 0.155, 0.15), Label.HEAD, "coat"),
        Part(wing, Label.WING, "accent", rim=True),
        *eye((head[0] + 0.05, head[1] - 0.02), 0.038),
    ]


def fish(rng: Rng) -> list[Part]:
    """Draw a fish."""
    tall, fork = rng.uniform(0.18, 0.28), rng.uniform(0.14, 0.22)
    body = symmetric([(0, 0.42), (0.6 * tall, 0.3), (tall, 0.05), (0.3 * tall, -0.3), (0, -0.36)])[:, ::-1]
    tail = symmetric([(0, -0.3), (0.7 * fork, -0.42), (fork, -0.56), (0, -0.48)])[:, ::-1]
    back = smooth([(0.14, -0.8 * tall), (0.02, -1.4 * tall), (-0.2, -1.15 * tall), (-0.2, -0.5 * tall)])
    below = leaf((0.05, 0.8 * tall), (-0.12, 1.45 * tall), 0.13)
    side = leaf((0.1, 0.06), (-0.09, 0.1 + rng.uniform(-0.04, 0.06)), 0.12)
    smile = limb([(0.33, 0.09), (0.36, 0.075), (0.4, 0.045)], [0.014])
    return [
        Part(tail, Label.TAIL, "accent"),
        Part(back, Label.WING, "accent"),
        Part(below, Label.WING, "accent"),
        Part(body, Label.BODY, "coat", Bands((-0.02, 0.0), 0.0, 0.8)),
        Part(side, Label.WING, "accent", rim=True),
        Part(ellipse((0.29, 0.04), 0.05, 0.035), Label.BODY, "blush"),
        Part(smile, Label.PUPIL, "dark"),
        *eye((0.26, -0.055), 0.05),
    ]


def sitter(rng: Rng) -> list[Part]:
    """Draw a sitting cat or teddy that looks at the viewer."""
    wide, head_size = rng.uniform(0.24, 0.31), rng.uniform(0.2, 0.25)
    body = symmetric([(0, -0.3), (0.6 * wide, -0.12), (wide, 0.2), (0.85 * wide, 0.36), (0, 0.39)])
    reach = rng.uniform(0.1, 0.3)
    tail = limb([(wide * 0.7, 0.31), (wide + 0.17, 0.28), (wide + 0.16, 0.22 - reach)], [0.1, 0.09, 0.07])
    paws = [Part(ellipse((x, 0.36), 0.09, 0.055), Label.LEG, "light", rim=True) for x in (-0.1, 0.1)]
    return [
        Part(tail, Label.TAIL, "coat", Bands((wide + 0.17, 0.28), -1.5, 0.0)),
        Part(body, Label.BODY, "coat", Bands((0, 0.05), np.pi / 2, -0.4)),
        *paws,
        *round_head((0, -0.3), head_size, pointed=bool(rng.uniform() < 0.6), front=True),
    ]


def gumdrop(rng: Rng) -> list[Part]:
    """Draw a round fellow on two feet with feelers."""
    wide, tall = rng.uniform(0.32, 0.42), rng.uniform(0.32, 0.42)
    right = [(0.75 * wide, -0.65 * tall), (wide, 0.2 * tall), (0.8 * wide, 0.68 * tall)]
    body = symmetric([(0, -tall), *right, (0, 0.74 * tall)])
    feelers: list[Part] = []
    for x in (0.02, 0.2):
        tip = (x + rng.uniform(0.0, 0.12), -tall - rng.uniform(0.1, 0.18))
        feelers.append(Part(limb([(x, -0.85 * tall), (x, -tall - 0.05), tip], [0.03]), Label.EAR, "shade"))
        feelers.append(Part(ellipse(tip, 0.04, 0.04), Label.EAR, "accent"))
    feet = [Part(ellipse((x, 0.78 * tall), 0.11, 0.06), Label.LEG, "accent") for x in (-0.14, 0.18)]
    face = wide / 0.4
    smile = limb([(0.07 * face, 0.04), (0.14 * face, 0.075), (0.21 * face, 0.04)], [0.018])
    eyes = [part for x in (0.04, 0.24) for part in eye((x * face, -0.1), 0.07 * face)]
    cheeks = [Part(ellipse((x * face, 0.025), 0.038, 0.025), Label.BODY, "blush") for x in (-0.04, 0.31)]
    skin = Part(body, Label.BODY, "coat", Bands((0, 0)))
    return [*feelers, *feet, skin, *cheeks, Part(smile, Label.PUPIL, "dark"), *eyes]


SPECIES: dict[str, Callable[[Rng], list[Part]]] = {
    "horse": horse,
    "prowler": prowler,
    "dinosaur": dinosaur,
    "bird": bird,
    "fish": fish,
    "sitter": sitter,
    "gumdrop": gumdrop,
}
