"""Write an image of any depth and number of channels without loss, whole or not at all."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from util.files import whole_file
from util.raster.array_file import arranged
from util.raster.deep_png import write_png
from util.raster.kinds import CHANNELS, Color, Layout, Levels

_IN_PNG = ("gray", "gray+alpha", "rgb", "rgba")
PHOTOMETRIC = {"rgb": "rgb", "rgba": "rgb", "cmyk": "separated"}  # all others: minisblack


def write_raster(
    levels: Levels, stem: Path, *, file_format: str, color: Color, layout: Layout = "", array_name: str = ""
) -> Path:
    """Write an image beside others of its kind and return its path, ``stem`` with a suffix.

    The arguments are those of ``encode_raster``.

    Raises:
        OSError: it cannot be written.
    """
    data, suffix = encode_raster(levels, file_format=file_format, color=color, layout=layout, array_name=array_name)
    path = stem.with_name(stem.name + suffix)  # with_suffix would cut a name at its last dot
    with whole_file(path) as file:
        file.write(data)
    return path


def encode_raster(
    levels: Levels, *, file_format: str, color: Color, layout: Layout = "", array_name: str = ""
) -> tuple[bytes, str]:
    """Return an image as the bytes of a file like others of its kind, and the suffix of that.

    An image that belongs to an array file becomes ``.npy`` or ``.npz``, all others ``.png``
    where PNG holds them (8 and 16 bits of gray and RGB, with alpha and without) and ``.tif`` where not.
    ``read_raster`` gives back the same levels and colour.

    Args:
        levels: H x W x C of the type to be written, one that ``read_raster`` gives.
        file_format: of the image that this one belongs to, as in its ``Header``.
        color: what the channels mean; an array file does not keep it.
        layout: the order of the axes in an array file or TIFF, as in the ``Header``. Where that cannot hold the
            channels, or an array file would not be read as it is meant, it becomes one that does.
        array_name: the key of the array in an NPZ; "image" if empty.
    """
    assert levels.ndim == 3, f"{levels.shape} is not H x W x C"
    assert CHANNELS.get(color, levels.shape[2]) == levels.shape[2], f"{color} has not {levels.shape[2]} channels"
    if file_format == "NPY":
        return encode_npy(levels, layout), ".npy"
    if file_format == "NPZ":
        return _npz(levels, layout, array_name or "image"), ".npz"
    if fits_png(levels.dtype, color):
        return encode_png(levels), ".png"
    return encode_tiff(levels, color, layout), ".tif"


def fits_png(dtype: np.dtype[Any], color: Color) -> bool:
    """Tell whether a PNG holds such an image whole."""
    return color in _IN_PNG and dtype in (np.uint8, np.uint16)


def encode_png(levels: Levels) -> bytes:
    """Return the PNG of H x W x C levels that ``fits_png``."""
    out = io.BytesIO()
    if levels.dtype == np.uint8:
        Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels).save(out, format="PNG")
    else:
        write_png(out, levels.shape, levels.dtype, [levels])
    return out.getvalue()


def encode_npy(levels: Levels, layout: Layout) -> bytes:
    """Return a bare array, its axes as wished where they can be told apart."""
    out = io.BytesIO()
    np.save(out, arranged(levels, layout), allow_pickle=False)
    return out.getvalue()


def _npz(levels: Levels, layout: Layout, name: str) -> bytes:
    """Return what ``np.savez_compressed`` writes, which does not take every name."""
    out = io.BytesIO()
    archive = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED)
    with archive, archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        member.write(encode_npy(levels, layout))
    return out.getvalue()


def encode_tiff(levels: Levels, color: Color, layout: Layout) -> bytes:
    """Return a deflated TIFF, the samples of a pixel side by side or in planes; further ones may be alpha."""
    import tifffile

    extra: dict[str, Any] = {}  # what only some images take
    if color in ("gray+alpha", "rgba"):
        extra["extrasamples"] = ["unassalpha"]
    values = levels
    if levels.shape[2] == 1:
        values = levels[:, :, 0]
    elif layout == "CHW":
        values, extra["planarconfig"] = np.ascontiguousarray(levels.transpose(2, 0, 1)), "separate"
    else:
        extra["planarconfig"] = "contig"
    out = io.BytesIO()
    photometric = PHOTOMETRIC.get(color, "minisblack")
    tifffile.imwrite(out, values, photometric=photometric, compression="zlib", metadata=None, **extra)
    return out.getvalue()
