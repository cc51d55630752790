"""Read an image file of any depth and number of channels without loss, or describe it without decoding its pixels.

The format is told from the first bytes, whatever the file is called. Pillow decodes all that it decodes whole, tifffile
the rest of TIFF; what neither decodes whole (PNG and PPM of 16-bit colours) is decoded here. Colour profiles are not
applied.
"""

import os

from util.raster.array_file import array_header, read_array
from util.raster.border import Refused, Stream, opened
from util.raster.kinds import Header, Raster
from util.raster.pillow_file import pillow_header, read_pillow
from util.raster.tiff_file import read_tiff, tiff_header

_BEGINNINGS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
    b"\x93NUMPY": "NPY",
    b"PK\x03\x04": "NPZ",
    b"PK\x05\x06": "NPZ",  # without an array
}


def read_raster(path: str | os.PathLike[str], data: bytes | None = None) -> Raster:
    """Return the levels and the colour of an image, upright as its EXIF orientation says.

    Palettes become colours, 1-bit images 0 and 255, LAB and YCbCr RGB; of an animation it is the first frame. The
    pages of a TIFF, and its other axes, become channels, as the shorter outer axis of an array file is. A PGM or PPM
    whose largest level is another than 255 and 65535, such as 1023, is scaled to all of 8 or 16 bits. float64 and
    float16 become float32. An array of one channel is taken for gray and of three for RGB; others are "channels".

    At most 178,956,970 pixels and 1 GiB of levels are read; the header says so before anything is decoded.

    Args:
        data: the bytes of the file, if they are here already; the path is only its name then.

    Raises:
        UserError: the file is missing, damaged, too large, or of a kind that is not read.
    """
    with opened(path, data) as file:
        file_format = _sniff(file)
        if file_format == "TIFF":
            return read_tiff(file)
        if file_format in ("NPY", "NPZ"):
            return read_array(file, file_format)
        return read_pillow(file, file_format)


def read_header(path: str | os.PathLike[str], data: bytes | None = None) -> Header:
    """Return format, upright size, channels, type and colour of an image, by content.

    Args:
        data: the bytes of the file, if they are here already; the path is only its name then.

    Raises:
        UserError: as ``read_raster``, as far as the header tells.
    """
    with opened(path, data) as file:
        file_format = _sniff(file)
        if file_format == "TIFF":
            return tiff_header(file)
        if file_format in ("NPY", "NPZ"):
            return array_header(file, file_format)
        return pillow_header(file, file_format)


def _sniff(file: Stream) -> str:
    """Return the format as ``Header`` names it; the file stands at its beginning afterwards.

    Raises:
        Refused: the file is empty or of another kind.
    """
    head = file.read(12)
    file.seek(0)
    for beginning, name in _BEGINNINGS.items():
        if head.startswith(beginning):
            return name
    if head[:4] == b"RIFF" and head[8:] == b"WEBP":
        return "WEBP"
    if head[:1] == b"P" and head[1:2] in b"123456" and head[2:3] in b" \t\r\n#" and len(head) > 2:
        return "PPM"
    if not head:
        raise Refused("the file is empty")
    raise Refused(f"it is no JPEG, PNG, TIFF, WebP, BMP, GIF, PPM, npy or npz file, but begins with {head!r}")
