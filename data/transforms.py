"""Preprocessing as pure functions: where an image is cut, and what comes of it.

``scaled_size`` and ``draw_geometry`` decide (the second with randomness), ``cut`` does (without). The official values
of ``--preprocess`` have their exact geometry; ours are ``scale_shortside``, ``scale_shortside_and_crop``,
``pad_and_crop`` and ``keep``, which never change the shape of what is seen, and reflect an image that is too small.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from data.pixels import Size, reflected, size_of
from options.errors import UserError
from options.schema import DataOptions


@dataclass(frozen=True)
class Geometry:
    """What happens to a scaled image.

    Attributes:
        padded: width and height after reflecting what is too small at its edges.
        crop: left, top and side of the square that is kept, or None for all.
        mirrored: flip left and right.
    """

    padded: Size
    crop: tuple[int, int, int] | None
    mirrored: bool


def scaled_size(size: Size, opt: DataOptions) -> Size:
    """Return width and height after the resizing that ``--preprocess`` asks for."""
    width, height = size
    if opt.preprocess == "resize_and_crop":
        return opt.load_size, opt.load_size
    if opt.preprocess in ("scale_width", "scale_width_and_crop"):
        if width == opt.load_size and height >= opt.crop_size:
            return size
        return opt.load_size, int(max(opt.load_size * height / width, opt.crop_size))
    if opt.preprocess in ("scale_shortside", "scale_shortside_and_crop"):
        factor = opt.load_size / min(size)
        return max(1, round(width * factor)), max(1, round(height * factor))
    if opt.preprocess == "none":
        return max(4, round(width / 4) * 4), max(4, round(height / 4) * 4)
    return size


def draw_geometry(scaled: Size, opt: DataOptions, rng: np.random.Generator, *, padded: bool = False) -> Geometry:
    """Choose crop and flip for an image of the given size, after ``scaled_size``.

    Args:
        padded: accept an image smaller than the crop, as pairs officially do: missing parts become black, and an
            image no larger than the crop stays whole.

    Raises:
        UserError: the scaled image is smaller than the crop, and not ``padded``.
    """
    width, height = scaled
    crop, canvas = None, scaled
    if opt.preprocess in ("pad_and_crop", "scale_shortside_and_crop"):
        canvas = width, height = max(width, opt.crop_size), max(height, opt.crop_size)
    if opt.preprocess.endswith("crop"):
        side = opt.crop_size
        if min(canvas) < side and not padded:
            raise UserError(
                f"is {width}x{height} pixels after --preprocess {opt.preprocess}, smaller than --crop_size {side}; "
                "lower --crop_size, or use --preprocess pad_and_crop or resize_and_crop"
            )
        left, top = (int(rng.integers(0, max(0, extent - side) + 1)) for extent in canvas)
        crop = (left, top, side) if max(canvas) > side else None
    mirrored = not opt.no_flip and bool(rng.random() < 0.5)
    return Geometry(canvas, crop, mirrored)


def cut(pixels: Tensor, geometry: Geometry) -> Tensor:
    """Reflect, crop and flip a scaled image, C x H x W; what a crop lacks is black."""
    if size_of(pixels) != geometry.padded:
        pixels = reflected(pixels, geometry.padded)
    if geometry.crop is not None:
        left, top, side = geometry.crop
        pixels = pixels[:, top : top + side, left : left + side]
        lacking = (0, side - pixels.shape[2], 0, side - pixels.shape[1])
        if any(lacking):
            pixels = F.pad(pixels, lacking, value=0 if pixels.dtype == torch.uint8 else -1)
    return pixels.flip(2) if geometry.mirrored else pixels
