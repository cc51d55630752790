"""What is expected of images that are evaluated, and the forms in which metrics take them: N x C x H x W in [0, 1]."""

import torch
from torch import Tensor

from options.errors import UserError

ROUNDING = 1e-3  # how far beyond [0, 1] a value may be by rounding


def checked(images: Tensor) -> Tensor:
    """Return the images in float32, clipped to [0, 1].

    Raises:
        UserError: they hold values that are not numbers.
    """
    assert images.dim() == 4, f"images are N x C x H x W, not {tuple(images.shape)}"
    assert images.is_floating_point(), f"images are floats in [0, 1], not {images.dtype}"
    images = images.detach().float()
    if not bool(images.isfinite().all()):  # sync
        raise UserError("an image holds values that are not finite numbers; look at the training's losses")
    lowest, highest = float(images.min()), float(images.max())
    assert lowest >= -ROUNDING, f"images are in [0, 1], not from {lowest:.3f}"
    assert highest <= 1 + ROUNDING, f"images are in [0, 1], not up to {highest:.3f}"
    return images.clamp(0, 1)


def in_color(images: Tensor, name: str) -> Tensor:
    """Repeat gray images over three channels.

    Raises:
        UserError: they have neither one nor three; says so of the metric ``name``.
    """
    channels = images.shape[1]
    if channels not in (1, 3):
        raise UserError(f"{name} is made for images of 1 or 3 channels, not {channels}; leave it out")
    return images.expand(-1, 3, -1, -1)


def levels(images: Tensor) -> Tensor:
    """Round to the 256 levels of a file, in uint8."""
    return (images * 255).round().to(torch.uint8)


def pixels_of(images: Tensor) -> str:
    """Return the size as people write it: width x height."""
    return f"{images.shape[3]}x{images.shape[2]}"
