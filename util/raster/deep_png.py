"""PNG with several channels of 16 bits, of which Pillow gives one byte and knows no image for both.

Its decoder is asked twice, for the upper and for the lower bytes. Written here from the specification (PNG, 3rd
edition, sections 5 and 9).
"""

import io
import struct
import zlib

import numpy as np
from PIL.ImageFile import ImageFile
from PIL.PngImagePlugin import PngImageFile

from util.raster.border import Stream
from util.raster.kinds import Levels

_UPPER, _LOWER = "16B", "16L"  # the first byte of two, and the second
COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by channels: gray, gray and alpha, colour, colour and alpha
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


def encode_deep_png(levels: Levels) -> bytes:
    """Return the file of an H x W x C image, uint16 with one to four channels."""
    height, width, channels = levels.shape
    pixel = 2 * channels
    rows = np.ascontiguousarray(levels.astype(">u2")).view(np.uint8).reshape(height, width * pixel)
    filtered = np.full((height, 1 + width * pixel), _SUBTRACT_LEFT, np.uint8)
    filtered[:, 1:] = rows
    filtered[:, 1 + pixel :] -= rows[:, :-pixel]
    out = io.BytesIO()
    out.write(b"\x89PNG\r\n\x1a\n")
    _chunk(out, b"IHDR", struct.pack(">IIBBBBB", width, height, 16, COLOR_TYPES[channels], 0, 0, 0))
    _chunk(out, b"IDAT", zlib.compress(filtered.tobytes()))
    _chunk(out, b"IEND", b"")
    return out.getvalue()


def _chunk(out: io.BytesIO, name: bytes, data: bytes) -> None:
    out.write(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)))


def _decoded(image: ImageFile, layout: str) -> Levels:
    """Decode the pixels as if they lay in the file like that: a name of Pillow's for mode and order of bytes."""
    codec, box, offset, _ = image.tile[0]
    image.tile = [type(image.tile[0])(codec, box, offset, layout)]
    image.load()
    return np.asarray(image)
