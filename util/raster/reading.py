"""Read an image file of any depth and number of channels without loss.

Pillow decodes all that it decodes whole, tifffile the rest of TIFF; what neither decodes whole (PNG and PPM of 16-bit
colours) is decoded here. Colour profiles are not applied.
"""

import os

from util.raster.array_file import read_array
from util.raster.border import Stream, opened
from util.raster.kinds import Raster
from util.raster.pillow_file import read_pillow
from util.raster.sniffing import sniff
from util.raster.tiff_file import read_tiff

__all__ = ["Raster", "read_raster", "read_raster_bytes"]


def read_raster(path: str | os.PathLike[str]) -> Raster:
    """Return the levels and the colour of an image, upright as its EXIF orientation says.

    Palettes become colours, 1-bit images 0 and 255, LAB and YCbCr RGB; of an animation it is the first frame. The
    pages of a TIFF, and its other axes, become channels, as the shorter outer axis of an array file is. A PGM or PPM
    whose largest level is another than 255 and 65535, such as 1023, is scaled to all of 8 or 16 bits. float64 and
    float16 become float32. An array of one channel is taken for gray and of three for RGB; others are "channels".

    At most 178,956,970 pixels and 1 GiB of levels are read; the header says so before anything is decoded.

    Raises:
        UserError: the file is missing, damaged, too large, or of a kind that is not read.
    """
    with opened(path) as file:
        return _read(file)


def read_raster_bytes(data: bytes, path: str | os.PathLike[str]) -> Raster:
    """Return the image of a file that is in memory, as ``read_raster`` does.

    Args:
        path: what messages call it.
    """
    with opened(path, data) as file:
        return _read(file)


def _read(file: Stream) -> Raster:
    file_format = sniff(file)
    if file_format == "TIFF":
        return read_tiff(file)
    if file_format in ("NPY", "NPZ"):
        return read_array(file, file_format)
    return read_pillow(file, file_format)
