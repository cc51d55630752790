"""Write a translation as the kind of file that is wanted."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from inference.jobs import with_suffix
from options.errors import UserError
from util.files import whole_file
from util.raster.kinds import Color, Header, Raster
from util.raster.writing import encode_npy, encode_png, encode_raster, encode_tiff, fits_png

LOSSY = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".bmp": "BMP"}  # 8 bits, by Pillow
TIFF = (".tif", ".tiff")


def write_image(raster: Raster, stem: Path, header: Header, *, suffix: str = "", quality: int = 95) -> Path:
    """Write a translation and return its path, ``stem`` with a suffix; all else as ``encoded``.

    Raises:
        OSError: it cannot be written.
    """
    data, suffix = encoded(raster, header, suffix=suffix, quality=quality)
    stem.parent.mkdir(parents=True, exist_ok=True)
    target = with_suffix(stem, suffix)
    with whole_file(target) as file:
        file.write(data)
    return target


def encoded(raster: Raster, header: Header, *, suffix: str = "", quality: int = 95) -> tuple[bytes, str]:
    """Return a translation as the bytes of a file, and the suffix of that.

    Args:
        header: of the image that was translated.
        suffix: decides the format; empty leaves it to the image: PNG, TIFF where that cannot hold it, or an array
            file where the source was one.
        quality: of JPEG and WebP.

    Raises:
        UserError: the format cannot hold the image; says which can.
    """
    (levels, color), kind = raster, suffix.lower()
    if not suffix:
        form, layout, name = header.file_format, header.layout, header.array_name
        return encode_raster(levels, file_format=form, color=color, layout=layout, array_name=name)
    refuse_unfit(levels.dtype, color, suffix)
    if kind in TIFF:
        return encode_tiff(levels, color, header.layout), suffix
    if kind == ".npy":
        return encode_npy(levels, header.layout), suffix
    if kind == ".png":
        return encode_png(levels), suffix
    shown = levels if kind == ".webp" or color in ("gray", "rgb") else levels[:, :, :-1]  # without alpha
    flat = shown[:, :, 0] if shown.shape[2] == 1 else np.ascontiguousarray(shown)
    out = io.BytesIO()
    Image.fromarray(flat).save(out, format=LOSSY[kind], quality=quality)
    return out.getvalue(), suffix


def refuse_unfit(dtype: np.dtype[Any], color: Color, suffix: str) -> None:
    """Raise a UserError if files of a kind cannot hold such an image."""
    kind = suffix.lower()
    shallow = dtype == np.uint8 and color not in ("channels", "cmyk")
    fits = shallow if kind in LOSSY else fits_png(dtype, color) if kind == ".png" else kind in (*TIFF, ".npy")
    if not fits:
        raise UserError(f"{suffix} files cannot hold {color} of {dtype}; take tif or npy, or leave the format out")
