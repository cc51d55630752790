"""Augmentation that ``--augment`` (both images of a pair alike) and ``--augment_input`` (the input only) ask for.

The flags hold names with or without a strength: ``rotation=10,vertical_flip,color=0.2``. Flips come first, then
everything that moves pixels in one resampling, then colours, in the order of the table in data/augment/steps.py.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from data.augment.steps import KINDS
from data.augment.warp import draw_shifts, shifted
from data.pixels import size_of
from options.errors import UserError
from util.registry import did_you_mean

WITH_TRANSPARENCY = (2, 4)  # channels: gray or colour, and transparency

Pixels = Tensor  # C x H x W: uint8 levels, or float32 in [-1, 1]


@dataclass(frozen=True)
class Step:
    """One augmentation that was asked for.

    Attributes:
        name: of the table.
        strength: at most, or a probability; never 0.
        flag: that asked, for messages.
    """

    name: str
    strength: float
    flag: str


def parse_augmentation(text: str, flag: str) -> tuple[Step, ...]:
    """Read what a flag asks for; a strength of 0 leaves the step out.

    Args:
        text: ``NAME`` or ``NAME=STRENGTH``, with commas between; empty for nothing.
        flag: ``--augment`` or ``--augment_input``.

    Returns:
        In the order of the table.

    Raises:
        UserError: a name is unknown or there twice, or a strength is no number or too large.
    """
    found: dict[str, Step] = {}
    for item in text.split(",") if text.strip() else ():
        name, equals, value = (part.strip() for part in item.partition("="))
        if name not in KINDS:
            raise UserError(f"{flag} does not know {name!r}{did_you_mean(name, KINDS)}; known: {', '.join(KINDS)}")
        if name in found:
            raise UserError(f"{flag} names {name} twice; write it once")
        found[name] = Step(name, _strength(name, value, flag) if equals else KINDS[name].default, flag)
    return tuple(found[name] for name in KINDS if name in found and found[name].strength > 0)


def _strength(name: str, value: str, flag: str) -> float:
    kind = KINDS[name]
    try:
        strength = float(value)
    except ValueError:
        strength = -1.0
    if not 0 <= strength <= kind.highest:
        raise UserError(
            f"{flag} {name}={value} is not a number from 0 to {kind.highest:g} ({kind.meaning}); "
            f"write for example {flag} {name}={kind.default:g}"
        )
    return strength


class Look(NamedTuple):
    """What an image is.

    Attributes:
        channels: of each file that it is stacked of. Where a file has 2 or 4, the last is transparency, whose values
            colours leave alone.
        is_input: of the generator.
        holds_labels: its values stay as they are.
    """

    channels: tuple[int, ...]
    is_input: bool
    holds_labels: bool


class Augmentation:
    """Random changes of the images of one sample, a function of the generator that is passed in."""

    def __init__(self, both: tuple[Step, ...], input_only: tuple[Step, ...]) -> None:
        self.both, self.input_only = both, input_only

    def __call__(self, images: Sequence[Pixels], rng: np.random.Generator, *, looks: Sequence[Look]) -> list[Pixels]:
        """Change all images alike, and the inputs once more.

        Args:
            images: of equal height and width; never written to.
            looks: what each is.

        Returns:
            Images of the same shapes and dtypes.

        Raises:
            UserError: a step cannot work with that number of channels.
        """
        assert len({image.shape[1:] for image in images}) == 1, "images of one sample have one size"
        augmented = list(images)
        for steps, only_inputs in ((self.both, False), (self.input_only, True)):
            if steps:
                draw = _Draw(steps, augmented[0], int(rng.integers(2**63)))
                pairs = zip(augmented, looks, strict=True)
                augmented = [draw(image, look) if look.is_input or not only_inputs else image for image, look in pairs]
        return augmented


class _Draw:
    """Steps whose random numbers are settled: every image of its height and width is changed alike."""

    def __init__(self, steps: tuple[Step, ...], image: Pixels, seed: int) -> None:
        self.seed = seed
        kinds = [(KINDS[step.name], step) for step in steps]
        self.flips = [(kind.change, step) for kind, step in kinds if kind.change and kind.geometric]
        self.colors = [(kind.change, step) for kind, step in kinds if kind.change and not kind.geometric]
        moves = [(kind.move, step.strength, self._numbers(step)) for kind, step in kinds if kind.move]
        self.shifts = draw_shifts(moves, size_of(image)) if moves else None

    def __call__(self, image: Pixels, look: Look) -> Pixels:
        for flip, step in self.flips:
            image = flip(image, step.strength, self._numbers(step))
        if self.shifts is not None:
            image = shifted(image, self.shifts, label=look.holds_labels)
        if not self.colors or look.holds_labels:
            return image
        return torch.cat([self._recolored(part) for part in torch.split(image, list(look.channels))])

    def _recolored(self, image: Pixels) -> Pixels:
        planes = image[:-1] if len(image) in WITH_TRANSPARENCY else image
        unit = planes / 255 if image.dtype == torch.uint8 else (planes + 1) / 2
        for change, step in self.colors:
            allowed = KINDS[step.name].channels
            if allowed and len(planes) not in allowed:
                raise UserError(f"{step.flag} {step.name} needs 1 or 3 channels, not {len(image)}; leave it out")
            unit = change(unit, step.strength, self._numbers(step))
        changed = (unit * 255).round().byte() if image.dtype == torch.uint8 else unit * 2 - 1
        return torch.cat([changed, image[len(planes) :]])

    def _numbers(self, step: Step) -> np.random.Generator:
        """Return the same random numbers for each image; those of one step do not depend on the others."""
        return np.random.default_rng((self.seed, zlib.crc32(step.name.encode())))
