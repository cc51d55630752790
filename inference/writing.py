"""Write a translation as the kind of file that is wanted."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from inference.listing import with_suffix
from options.errors import UserError
from util.raster.header import Header
from util.raster.kinds import Raster
from util.raster.writing import encode_tiff, write_raster
from util.whole_file import whole_file

LOSSY = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}  # 8 bits, by Pillow
TIFF = (".tif", ".tiff")


def write_picture(raster: Raster, stem: Path, header: Header, *, suffix: str = "", quality: int = 95) -> Path:
    """Write a translation and return its path.

    Args:
        stem: of the file, to which the suffix is added.
        header: of the picture that was translated.
        suffix: decides the format; empty leaves it to the picture: PNG, TIFF where that cannot hold it, or an array
            file where the source was one.
        quality: of JPEG and WebP.

    Raises:
        UserError: the format cannot hold the picture; says which can.
        OSError: it cannot be written.
    """
    stem.parent.mkdir(parents=True, exist_ok=True)
    target, suffix = with_suffix(stem, suffix), suffix.lower()
    if suffix in LOSSY:
        with whole_file(target) as file:
            file.write(encoded(raster, suffix, quality=quality))
        return target
    if suffix in TIFF:
        with whole_file(target) as file:
            file.write(encode_tiff(raster.levels, raster.color, header.layout))
        return target
    if suffix == ".png" and not _fits_png(raster):
        raise UserError(f"a PNG cannot hold {_told(raster)}; leave the format out, or pass --format tif or npy")
    kind = suffix[1:].upper() or header.file_format
    levels, color = raster
    return write_raster(levels, stem, file_format=kind, color=color, layout=header.layout, array_name=header.array_name)


def encoded(raster: Raster, suffix: str, *, quality: int = 95) -> bytes:
    """Return a picture as the bytes of a file of 8 bits.

    Raises:
        UserError: it has other depths or channels.
    """
    levels, color = raster
    if levels.dtype != np.uint8 or color == "channels" or color == "cmyk":
        raise UserError(f"{suffix[1:].upper()} cannot hold {_told(raster)}; pass --format png or tif")
    shown = levels if suffix == ".webp" or color in ("gray", "rgb") else levels[:, :, :-1]  # without alpha
    flat = shown[:, :, 0] if shown.shape[2] == 1 else np.ascontiguousarray(shown)
    image = Image.fromarray(flat)
    out = io.BytesIO()
    image.save(out, format=LOSSY[suffix], quality=quality)
    return out.getvalue()


def _fits_png(raster: Raster) -> bool:
    return raster.levels.dtype in (np.uint8, np.uint16) and raster.color not in ("channels", "cmyk")


def _told(raster: Raster) -> str:
    return f"{raster.levels.shape[2]} channels of {raster.levels.dtype} ({raster.color})"
