"""Images that Pillow decodes, and those of which it decodes all but the depth."""

import struct
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.WebPImagePlugin import WebPImageFile

from util.raster.border import Stream
from util.raster.deep_png import is_deep_png, read_deep_png
from util.raster.kinds import CHANNELS, Color, Header, Levels, Raster, limited
from util.raster.netpbm import is_scaled_ppm, largest_level, read_scaled_ppm
from util.raster.upright import orientation_of, turned, turned_size


class _Jpeg(JpegImageFile):
    """A JPEG whose dots per inch nobody asks for; to find them Pillow reads all of an EXIF block, and complains."""

    def _read_dpi_from_exif(self) -> None:
        pass


# the classes themselves: Image.open would look for a format that is known already, and warn of large images
_OPEN: dict[str, Callable[[Stream], ImageFile]] = {
    "JPEG": _Jpeg,
    "PNG": PngImageFile,
    "BMP": BmpImageFile,
    "GIF": GifImageFile,
    "PPM": PpmImageFile,
    "WEBP": WebPImageFile,
}

_BYTE, _WORD, _FLOAT = np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.float32)


class Kind(NamedTuple):
    """What becomes of a mode of Pillow: ``mode`` is what it is converted to, None what needs no conversion."""

    color: Color
    mode: str | None = None
    dtype: np.dtype[np.generic] = _BYTE


KINDS = {
    "1": Kind("gray", "L"),
    "L": Kind("gray"),
    "LA": Kind("gray+alpha"),
    "La": Kind("gray+alpha", "LA"),
    "P": Kind("rgb", "RGB"),
    "PA": Kind("rgba", "RGBA"),
    "RGB": Kind("rgb"),
    "RGBX": Kind("rgb", "RGB"),
    "RGBA": Kind("rgba"),
    "RGBa": Kind("rgba", "RGBA"),
    "YCbCr": Kind("rgb", "RGB"),
    "LAB": Kind("rgb", "LAB"),
    "CMYK": Kind("cmyk"),
    "I;16": Kind("gray", None, _WORD),
    "I;16B": Kind("gray", None, _WORD),
    "I": Kind("gray", None, _WORD),  # what PNG and PPM hold of it
    "F": Kind("gray", None, _FLOAT),
}
_TRANSPARENT_PALETTE = Kind("rgba", "RGBA")


def pillow_header(file: Stream, file_format: str) -> Header:
    """Describe an image that is no TIFF."""
    image = _OPEN[file_format](file)
    described = described_by_pillow(image, file_format)
    if file_format == "PNG" and "exif" not in image.info:
        image.info.update(_late_exif(file))
    width, height = turned_size(*image.size, orientation_of(image.info))
    return described._replace(width=width, height=height)


def read_pillow(file: Stream, file_format: str) -> Raster:
    """Read an image that is no TIFF."""
    image = _OPEN[file_format](file)
    color = described_by_pillow(image, file_format).color
    if is_deep_png(image):
        levels = read_deep_png(file, image)
    elif is_scaled_ppm(image):
        levels = read_scaled_ppm(file, image)
    else:
        levels = decoded_by_pillow(image)
    return Raster(turned(levels, orientation_of(image.info)), color)


def described_by_pillow(image: ImageFile, file_format: str) -> Header:
    """Describe an image as it lies, not yet upright.

    Raises:
        Refused: it is too large.
    """
    color, _, dtype = _kind(image)
    if is_deep_png(image):
        color = "gray+alpha" if image.tile[0][3] == "LA;16B" else color
        dtype = _WORD
    elif is_scaled_ppm(image):
        dtype = _WORD if largest_level(image) > 255 else _BYTE
    return limited(Header(file_format, *image.size, CHANNELS[color], dtype, color))


def decoded_by_pillow(image: ImageFile) -> Levels:
    """Decode the pixels, H x W x C, as they lie."""
    image.load()
    _, mode, dtype = _kind(image)
    plain: Image.Image = image
    if mode == "LAB":
        plain = _from_lab(image)
    elif mode:
        plain = image.convert(mode)
    levels = np.array(plain)  # asarray would give what cannot be written to, which PyTorch warns of
    if levels.dtype != dtype:
        levels = levels.astype(dtype)
    return levels if levels.ndim == 3 else levels[:, :, None]


def _kind(image: Image.Image) -> Kind:
    if image.mode == "P" and "transparency" in image.info:
        return _TRANSPARENT_PALETTE
    return KINDS[image.mode]


def _from_lab(image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    profiles = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    rgb = ImageCms.profileToProfile(image, *profiles, outputMode="RGB")
    assert rgb is not None  # only in place it returns nothing
    return rgb


def _late_exif(file: Stream) -> dict[str, bytes]:
    """Find the EXIF block of a PNG behind its pixels, where Pillow comes only when it decodes."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name == b"eXIf":
            return {"exif": file.read(length)}
        file.seek(length + 4, 1)
    return {}
