"""What an image is: its numbers, what its channels mean, and how much of it is read at most."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from util.raster.border import Refused, TooLarge

Color = Literal["gray", "gray+alpha", "rgb", "rgba", "cmyk", "channels"]
Layout = Literal["", "HW", "HWC", "CHW"]
Levels = npt.NDArray[Any]  # H x W x C

CHANNELS: dict[Color, int] = {"gray": 1, "gray+alpha": 2, "rgb": 3, "rgba": 4, "cmyk": 4}  # "channels" are any number
ARRAYS = (".npy", ".npz")
FORMATS = {  # by the ending of a file's name
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".ppm": "PPM",
    ".pgm": "PPM",
    ".pnm": "PPM",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".webp": "WEBP",
    ".npy": "NPY",
    ".npz": "NPZ",
}
EXTENSIONS = tuple(FORMATS)

MOST_PIXELS = 178_956_970  # where Pillow stops, too
MOST_BYTES = 1 << 30

_KEPT = ("uint8", "uint16", "int16", "int32", "uint32", "float32")
_CHANGED = {"bool": "uint8", "int8": "int16", "float16": "float32", "float64": "float32"}


class Header(NamedTuple):
    """What is known of an image without its pixels.

    Attributes:
        file_format: JPEG, PNG, TIFF, WEBP, BMP, GIF, PPM, NPY or NPZ, by content.
        width: of the upright image, after the EXIF orientation.
        height: likewise.
        dtype: of the levels.
        layout: how the file orders rows, columns and channels, where it has a choice: in NPY, NPZ and TIFF. The planes
            of a TIFF, and pages that became channels, are "CHW".
        array_name: the key of the array in an NPZ.
    """

    file_format: str
    width: int
    height: int
    channels: int
    dtype: np.dtype[Any]
    color: Color
    layout: Layout = ""
    array_name: str = ""


class Raster(NamedTuple):
    """An image as numbers.

    Attributes:
        levels: H x W x C, writable; uint8, uint16, int16, int32, uint32 or float32.
        color: what the channels mean.
    """

    levels: Levels
    color: Color


def kept_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the type of the levels that a file's type becomes.

    Raises:
        Refused: 64-bit integers, complex numbers, objects and the like.
    """
    name = str(dtype.newbyteorder("="))
    if name not in (*_KEPT, *_CHANGED):
        raise Refused(f"its numbers are {name}; {', '.join((*_KEPT, *_CHANGED))} are read")
    kept: np.dtype[Any] = np.dtype(_CHANGED.get(name, name))
    return kept


def as_levels(values: Levels) -> Levels:
    """Return C-contiguous, writable levels of a type that is kept; False and True become 0 and 255."""
    if values.dtype == bool:
        values = np.where(values, np.uint8(255), np.uint8(0))
    return np.require(values, kept_dtype(values.dtype), ["C", "W"])


def limited(header: Header) -> Header:
    """Return the header of an image that is not too large.

    Raises:
        Refused: it has no pixels, or more than 178,956,970, or takes more than 1 GiB decoded.
    """
    pixels = header.width * header.height
    if min(header.width, header.height, header.channels) < 1:
        raise Refused("it has no pixels")
    if pixels > MOST_PIXELS:
        raise TooLarge(f"{header.width} x {header.height} pixels are more than {MOST_PIXELS:,}")
    if pixels * header.channels * header.dtype.itemsize > MOST_BYTES:
        raise TooLarge(
            f"{header.width} x {header.height} pixels of {header.channels} {header.dtype} channels take more than 1 GiB"
        )
    return header


def array_layout(shape: Sequence[int]) -> tuple[int, int, int, Layout]:
    """Return height, width and channels of an array, and how it orders them.

    Of three axes the shorter one of the first and the last holds the channels; the last, if they are equal.

    Raises:
        Refused: it has neither two axes nor three.
    """
    if len(shape) == 2:
        return shape[0], shape[1], 1, "HW"
    if len(shape) != 3:
        raise Refused(f"its array has {len(shape)} axes; H x W, H x W x C and C x H x W are read")
    if shape[0] < shape[2]:
        return shape[1], shape[2], shape[0], "CHW"
    return shape[0], shape[1], shape[2], "HWC"


def array_color(channels: int) -> Color:
    """Return what the channels of a bare array are taken for: one is gray and three are colours."""
    return "gray" if channels == 1 else "rgb" if channels == 3 else "channels"
