"""The augmentations there are: what each does to an image, and how strong it may be.

A change takes a C x H x W image, colours in [0, 1], and returns another; it draws from NumPy's generator alone, so
the state of PyTorch's is neither read nor changed. What moves pixels other than by flips and quarter turns is in
data/augment/warp.py.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from data.augment import warp

Change = Callable[[Tensor, float, np.random.Generator], Tensor]


def vertical_flip(image: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
    """Turn upside down, as in a lake."""
    return image.flip(1) if rng.random() < probability else image


def quarter_turns(image: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
    """Turn by 90, 180 or 270 degrees; by 180 where the sides differ."""
    square = image.shape[1] == image.shape[2]
    turns = int(rng.integers(1, 4)) if square else 2
    return image.rot90(turns, (1, 2)) if rng.random() < probability else image


def color(image: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Change brightness, contrast and saturation."""
    F = _torchvision()
    for adjust in (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation):
        image = adjust(image, rng.uniform(1 - share, 1 + share))
    return image


def hue(image: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Turn the circle of colours; gray has none."""
    turned: Tensor = _torchvision().adjust_hue(image, rng.uniform(-share, share))
    return turned


def grayscale(image: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
    """Take the colours away."""
    if rng.random() >= probability or len(image) == 1:
        return image
    gray: Tensor = _torchvision().rgb_to_grayscale(image, num_output_channels=3)
    return gray


def sharpness(image: Tensor, amount: float, rng: np.random.Generator) -> Tensor:
    """Sharpen or soften."""
    sharp: Tensor = _torchvision().adjust_sharpness(image, rng.uniform(max(0, 1 - amount), 1 + amount))
    return sharp


def blur(image: Tensor, sigma: float, rng: np.random.Generator) -> Tensor:
    """Smooth with a Gaussian."""
    deviation = sigma * (1 - rng.random())  # never 0
    sizes = [2 * min(math.ceil(3 * deviation), side - 1) + 1 for side in (image.shape[2], image.shape[1])]
    smooth: Tensor = _torchvision().gaussian_blur(image, sizes, [deviation, deviation])
    return smooth


def noise(image: Tensor, share: float, rng: np.random.Generator) -> Tensor:
    """Add Gaussian noise."""
    deviation = rng.uniform(0, share)
    return image.add(torch.from_numpy(rng.standard_normal(image.shape, np.float32)), alpha=deviation).clamp_(0, 1)


def erasing(image: Tensor, probability: float, rng: np.random.Generator) -> Tensor:
    """Cover a rectangle of about 2 to 20 % of the area with middle gray."""
    if rng.random() >= probability:
        return image
    share, stretch = math.sqrt(rng.uniform(0.02, 0.2)), 2 ** rng.uniform(-0.5, 0.5)
    height, width = (max(1, round(s)) for s in (image.shape[1] * share * stretch, image.shape[2] * share / stretch))
    top, left = int(rng.integers(image.shape[1] - height + 1)), int(rng.integers(image.shape[2] - width + 1))
    covered: Tensor = _torchvision().erase(image, top, left, height, width, torch.tensor(0.5))
    return covered


def _torchvision() -> Any:  # it has no types
    from torchvision.transforms.v2 import functional  # takes long, which waits for the first image

    return functional


@dataclass(frozen=True)
class Kind:
    """What a name stands for.

    Attributes:
        meaning: of the strength.
        default, highest: strength; the lowest is 0, which leaves the step out.
        change: of the image.
        move: of its pixels, instead of a change.
        geometric: whether label maps take part; otherwise it changes colours.
        channels: numbers of colour channels it can work with, if not all.
    """

    meaning: str
    default: float
    highest: float
    change: Change | None = None
    move: warp.Move | None = None
    geometric: bool = False
    channels: tuple[int, ...] = ()


RGB_OR_GRAY = (1, 3)

KINDS = {
    "vertical_flip": Kind("probability", 0.5, 1, vertical_flip, geometric=True),
    "quarter_turns": Kind("probability", 0.75, 1, quarter_turns, geometric=True),
    "perspective": Kind("share of the distance at most", 0.2, 0.5, move=warp.perspective, geometric=True),
    "rotation": Kind("degrees at most", 10, 180, move=warp.rotation, geometric=True),
    "translation": Kind("share of the side at most", 0.1, 1, move=warp.translation, geometric=True),
    "zoom": Kind("share of the size at most", 0.1, 1, move=warp.zoom, geometric=True),
    "shear": Kind("degrees at most", 10, 45, move=warp.shear, geometric=True),
    "elastic": Kind("share of the side at most", 0.03, 0.1, move=warp.elastic, geometric=True),
    "color": Kind("share of brightness, contrast and saturation at most", 0.2, 0.9, color, channels=RGB_OR_GRAY),
    "hue": Kind("share of the circle of colours at most", 0.05, 0.5, hue, channels=RGB_OR_GRAY),
    "grayscale": Kind("probability", 0.2, 1, grayscale, channels=RGB_OR_GRAY),
    "sharpness": Kind("amount at most", 1, 10, sharpness, channels=RGB_OR_GRAY),
    "blur": Kind("standard deviation in pixels at most", 1.5, 10, blur),
    "noise": Kind("standard deviation as a share of the range at most", 0.05, 1, noise),
    "erasing": Kind("probability", 0.5, 1, erasing),
}
