"""Images as callers have them (PIL, NumPy, tensors, files) to rasters, and translations back to the same kind."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from options.errors import UserError
from util.raster.array_file import arranged
from util.raster.border import Refused
from util.raster.kinds import Header, Raster, array_color, array_layout, as_levels
from util.raster.pillow_file import KINDS
from util.raster.reading import read_header, read_raster

KEPT = ("icc_profile", "dpi", "exif")  # of what Pillow knows beside the pixels


class InputImage(NamedTuple):
    """An image to translate.

    Attributes:
        name: for messages.
        back: turns a translation into the kind that was given.
    """

    name: str
    raster: Raster
    header: Header
    back: Callable[[Raster], Any]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return self.header.width, self.header.height


def read_input(given: Any) -> InputImage:
    """Read what was given.

    Floats are taken to lie in [0, 1] and integers in the range of their type, where the run has no ``--value_range``.

    Args:
        given: a PIL image; H x W, H x W x C or C x H x W of NumPy; C x H x W or 1 x C x H x W of PyTorch; or a path.

    Raises:
        UserError: the file cannot be read, or an array is no image.
        TypeError: it is nothing of these.
    """
    shape = given.size if isinstance(given, Image.Image) else getattr(given, "shape", (1,))
    if 0 in shape:
        raise UserError(f"an image of size {tuple(shape)} has no pixels; give one that has")
    if isinstance(given, Image.Image):
        return _from_pillow(given)
    if isinstance(given, Tensor):
        return _from_tensor(given)
    if isinstance(given, np.ndarray):
        return _from_array(given)
    if isinstance(given, str | os.PathLike):
        path = Path(given)
        return InputImage(str(path), read_raster(path), read_header(path), as_pillow)
    kinds = "a PIL image, a NumPy array, a tensor, a path, or a list of these"
    raise TypeError(f"an image is {kinds}, not a {type(given).__name__}")


def read_input_bytes(data: bytes, name: str) -> InputImage:
    """Read the bytes of an image file.

    Raises:
        UserError: they are none.
    """
    return InputImage(name, read_raster(name, data), read_header(name, data), as_pillow)


def as_pillow(raster: Raster) -> Image.Image | np.ndarray[Any, Any]:
    """Return a PIL image where Pillow has such images, else H x W x C."""
    levels, color = raster
    flat = levels[:, :, 0] if levels.shape[2] == 1 else levels
    if color == "cmyk" and levels.dtype == np.uint8:
        return Image.frombytes("CMYK", flat.shape[1::-1], flat.tobytes())
    if levels.dtype == np.uint8 and levels.shape[2] <= 4:
        return Image.fromarray(flat)
    if levels.shape[2] == 1 and levels.dtype in (np.uint16, np.float32, np.int32):
        return Image.fromarray(flat)
    return flat


def _from_pillow(image: Image.Image) -> InputImage:
    transparent = image.mode == "P" and "transparency" in image.info
    kind = KINDS.get("PA" if transparent else image.mode)
    if kind is None:
        raise UserError(f"a PIL image of mode {image.mode} cannot be translated; convert it, to RGB for example")
    plain = image.convert("RGBA") if transparent else image.convert(kind.mode) if kind.mode else image
    levels = np.array(plain)
    levels = as_levels(levels if levels.ndim == 3 else levels[:, :, None])
    kept = {key: image.info[key] for key in KEPT if key in image.info}

    def back(raster: Raster) -> Any:
        made = as_pillow(raster)
        if isinstance(made, Image.Image):
            made.info.update(kept)
        return made

    color = "rgba" if transparent else kind.color
    header = Header("PNG", *image.size, levels.shape[2], levels.dtype, color)
    return InputImage("given (a PIL image)", Raster(levels, color), header, back)


def _from_array(array: np.ndarray[Any, Any]) -> InputImage:
    try:
        height, width, channels, layout = array_layout(array.shape)
        planes = array[:, :, None] if layout == "HW" else array.transpose(1, 2, 0) if layout == "CHW" else array
        levels = as_levels(planes)
    except Refused as error:
        raise UserError(f"a NumPy array cannot be translated: {error}") from error
    if levels is planes or np.shares_memory(levels, array):
        levels = levels.copy()  # the caller's own stays as it is
    header = Header("NPY", width, height, channels, levels.dtype, array_color(channels), layout)

    def back(raster: Raster) -> Any:
        out = arranged(raster.levels, layout)
        return out.astype(array.dtype, copy=False) if array.dtype.kind == "f" == out.dtype.kind else out

    name = f"given (an array of shape {array.shape})"
    return InputImage(name, Raster(levels, header.color), header, back)


def _from_tensor(tensor: Tensor) -> InputImage:
    shape = tuple(tensor.shape)
    if tensor.ndim == 4 and len(tensor) == 1:
        tensor = tensor[0]
    if tensor.ndim != 3:
        raise UserError(f"a tensor of shape {shape} is no image; give C x H x W, or N x C x H x W")
    plain = tensor.detach().cpu()
    plain = plain.float() if plain.is_floating_point() else plain
    try:
        levels = as_levels(np.ascontiguousarray(plain.numpy().transpose(1, 2, 0)))
    except Refused as error:
        raise UserError(f"a tensor cannot be translated: {error}") from error
    header = Header("NPY", shape[-1], shape[-2], shape[-3], levels.dtype, array_color(shape[-3]), "CHW")

    def back(raster: Raster) -> Tensor:
        out = torch.from_numpy(np.ascontiguousarray(raster.levels.transpose(2, 0, 1))).to(tensor.device)
        out = out.to(tensor.dtype) if tensor.is_floating_point() and out.is_floating_point() else out
        return out[None] if len(shape) == 4 else out

    return InputImage(f"given (a tensor of shape {shape})", Raster(levels.copy(), header.color), header, back)
