"""Describe an image file without decoding its pixels."""

import os

from util.raster.array_file import array_header
from util.raster.border import opened
from util.raster.kinds import EXTENSIONS, Color, Header
from util.raster.pillow_file import pillow_header
from util.raster.sniffing import sniff
from util.raster.tiff_file import tiff_header

__all__ = ["EXTENSIONS", "Color", "Header", "read_header"]


def read_header(path: str | os.PathLike[str], data: bytes | None = None) -> Header:
    """Return format, upright size, channels, type and colour of an image, by content.

    Args:
        data: the bytes of the file, if they are here already; the path is only its name then.

    Raises:
        UserError: as ``read_raster``, as far as the header tells.
    """
    with opened(path, data) as file:
        file_format = sniff(file)
        if file_format == "TIFF":
            return tiff_header(file)
        if file_format in ("NPY", "NPZ"):
            return array_header(file, file_format)
        return pillow_header(file, file_format)
