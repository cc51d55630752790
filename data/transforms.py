"""Preprocessing as pure functions: where an image is cut, and what comes of it.

``draw_geometry`` decides (with randomness), ``to_tensor`` does (without). All resizing is bicubic. The official
values of ``--preprocess`` have their exact geometry; ours are ``scale_shortside``, ``scale_shortside_and_crop``,
``pad_and_crop`` and ``keep``, which never change the shape of what is seen, and reflect an image that is too small.
"""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from options.errors import UserError
from options.schema import DataOptions

Size = tuple[int, int]  # width, height

REFLECTING = ("pad_and_crop", "scale_shortside_and_crop")


@dataclass(frozen=True)
class Geometry:
    """What happens to one image.

    Attributes:
        scaled: width and height after resizing.
        padded: width and height after reflecting what is too small at its edges.
        crop: left, top and side of the square that is kept, or None for all.
        mirrored: flip left and right.
    """

    scaled: Size
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


def draw_geometry(size: Size, opt: DataOptions, rng: np.random.Generator, *, padded: bool = False) -> Geometry:
    """Choose crop and flip for an image of the given size.

    Args:
        padded: accept an image smaller than the crop, as side-by-side pairs officially do: missing
            parts become black, and an image no larger than the crop stays whole.

    Raises:
        UserError: the scaled image is smaller than the crop, and not ``padded``.
    """
    scaled = width, height = scaled_size(size, opt)
    crop, canvas = None, scaled
    if opt.preprocess in REFLECTING:
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
    return Geometry(scaled, canvas, crop, mirrored)


def to_picture(image: Image.Image, geometry: Geometry) -> Image.Image:
    """Resize, reflect, crop and flip."""
    if image.size != geometry.scaled:
        image = image.resize(geometry.scaled, Image.Resampling.BICUBIC)
    if image.size != geometry.padded:
        image = reflected(image, geometry.padded)
    if geometry.crop is not None:
        left, top, side = geometry.crop
        image = image.crop((left, top, left + side, top + side))
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if geometry.mirrored else image


def reflected(image: Image.Image, size: Size) -> Image.Image:
    """Extend an image by reflection, as much on one side as on the other, as often as it takes."""
    (left, right), (top, bottom) = (
        ((wanted - length) // 2, (wanted - length + 1) // 2) for length, wanted in zip(image.size, size, strict=True)
    )
    levels = np.asarray(image)
    margins = [(top, bottom), (left, right), (0, 0)][: levels.ndim]
    return Image.fromarray(np.pad(levels, margins, mode="reflect"))


def to_tensor(image: Image.Image, geometry: Geometry, channels: int) -> Tensor:
    """Make a network input of an RGB image.

    Args:
        channels: 3, or 1 for gray; gray is taken before resizing.

    Returns:
        channels x H x W in [-1, 1], float32.
    """
    if channels not in (1, 3):
        raise UserError(f"images have 1 (gray) or 3 (colour) channels, not {channels}; see --input_nc and --output_nc")
    levels = np.array(to_picture(image.convert("L") if channels == 1 else image, geometry))
    planes = torch.from_numpy(levels.reshape(*levels.shape[:2], channels)).permute(2, 0, 1).contiguous()
    return planes.float().div(255).sub(0.5).div(0.5)
