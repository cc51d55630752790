"""PNG with several channels of 16 bits, of which Pillow gives one byte and knows no image for both.

Its decoder is asked twice, for the upper and for the lower bytes. Written here from the specification (PNG, 3rd
edition, sections 5 and 9).
"""

import struct
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile

from util.raster.border import Stream
from util.raster.kinds import Levels

_UPPER, _LOWER = "16B", "16L"  # the first byte of two, and the second
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray and alpha, colour, colour and alpha
_SUBTRACT_LEFT = 1  # the filter of a row


def is_deep_png(image: ImageFile) -> bool:
    """Tell whether a PNG was opened that has several channels of 16 bits."""
    return image.format == "PNG" and str(image.tile[0][3]) in ("RGB;16B", "RGBA;16B", "LA;16B")


def read_deep_png(file: Stream, image: ImageFile) -> Levels:
    """Decode the pixels, H x W x C, as they lie; ``image`` is left loaded, with all that stands behind them."""
    if image.tile[0][3] == "LA;16B":  # four bytes a pixel, as RGBA
        return np.ascontiguousarray(_decoded(image, "RGBA").view(">u2").astype(np.uint16))
    upper = _decoded(image, f"{image.mode};{_UPPER}")
    file.seek(0)
    lower = _decoded(PngImageFile(file), f"{image.mode};{_LOWER}")
    levels = upper.astype(np.uint16)
    levels <<= 8
    levels |= lower
    return levels


def write_png(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any], bands: Iterable[Levels]) -> None:
    """Write an image that comes in bands of rows, from top to bottom.

    Args:
        shape: height, width and channels, one to four.
        dtype: uint8 or uint16.
    """
    height, width, channels = shape
    pixel = dtype.itemsize * channels
    file.write(b"\x89PNG\r\n\x1a\n")
    look = struct.pack(">IIBBBBB", width, height, 8 * dtype.itemsize, _COLOR_TYPES[channels], 0, 0, 0)
    _chunk(file, b"IHDR", look)
    packer, ready = zlib.compressobj(), b""
    for band in bands:
        rows = np.ascontiguousarray(band, dtype.newbyteorder(">")).view(np.uint8).reshape(len(band), width * pixel)
        if ready:
            _chunk(file, b"IDAT", ready)
        filtered = np.full((len(band), 1 + width * pixel), _SUBTRACT_LEFT, np.uint8)
        filtered[:, 1:] = rows
        filtered[:, 1 + pixel :] -= rows[:, :-pixel]
        ready = packer.compress(filtered.tobytes())
    _chunk(file, b"IDAT", ready + packer.flush())
    _chunk(file, b"IEND", b"")


def _chunk(out: BinaryIO, name: bytes, data: bytes) -> None:
    out.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))


def _decoded(image: ImageFile, layout: str) -> Levels:
    """Decode the pixels as if they lay in the file like that: a name of Pillow's for mode and order of bytes."""
    codec, box, offset, _ = image.tile[0]
    image.tile = [type(image.tile[0])(codec, box, offset, layout)]
    image.load()
    return np.asarray(image)
