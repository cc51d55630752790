"""Write an image of any depth and number of channels without loss, whole or not at all."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from util.raster.array_file import arranged
from util.raster.deep_png import encode_deep_png
from util.raster.kinds import CHANNELS, Color, Levels
from util.whole_file import whole_file

_IN_PNG = ("gray", "gray+alpha", "rgb", "rgba")
_PHOTOMETRIC = {"rgb": "rgb", "rgba": "rgb", "cmyk": "separated"}  # all others: minisblack


def write_raster(levels: Levels, stem: Path, *, file_format: str, color: Color) -> Path:
    """Write an image beside others of its kind and return its path, ``stem`` with a suffix.

    An image that belongs to an array file becomes ``.npy`` or ``.npz`` (under the key "image"), all others ``.png``
    where PNG holds them (8 and 16 bits of gray and RGB, with alpha and without) and ``.tif`` where not.
    ``read_raster`` gives back the same levels and colour.

    Args:
        levels: H x W x C of the type to be written, one that ``read_raster`` gives.
        file_format: of the image that this one belongs to, as in its ``Header``.
        color: what the channels mean; an array file does not keep it.

    Raises:
        OSError: it cannot be written.
    """
    assert levels.ndim == 3, f"{levels.shape} is not H x W x C"
    assert CHANNELS.get(color, levels.shape[2]) == levels.shape[2], f"{color} has not {levels.shape[2]} channels"
    if file_format == "NPY":
        return _put(_npy(levels), stem, ".npy")
    if file_format == "NPZ":
        return _put(_npz(levels), stem, ".npz")
    if color in _IN_PNG and levels.dtype == np.uint8:
        return _put(_png(levels), stem, ".png")
    if color in _IN_PNG and levels.dtype == np.uint16:
        return _put(encode_deep_png(levels), stem, ".png")
    return _put(_tiff(levels, color), stem, ".tif")


def _put(data: bytes, stem: Path, suffix: str) -> Path:
    path = stem.with_name(stem.name + suffix)  # with_suffix would cut a name at its last dot
    with whole_file(path) as file:
        file.write(data)
    return path


def _npy(levels: Levels) -> bytes:
    out = io.BytesIO()
    np.save(out, arranged(levels), allow_pickle=False)
    return out.getvalue()


def _npz(levels: Levels) -> bytes:
    out = io.BytesIO()
    np.savez_compressed(out, image=arranged(levels))
    return out.getvalue()


def _png(levels: Levels) -> bytes:
    out = io.BytesIO()
    flat = levels[:, :, 0] if levels.shape[2] == 1 else levels
    Image.fromarray(flat).save(out, format="PNG")
    return out.getvalue()


def _tiff(levels: Levels, color: Color) -> bytes:
    """Return a deflated TIFF, the samples of a pixel side by side; further ones are alpha if the colour says so."""
    import tifffile

    extra: dict[str, Any] = {}  # what only some images take
    if color in ("gray+alpha", "rgba"):
        extra["extrasamples"] = ["unassalpha"]
    if levels.shape[2] > 1:
        extra["planarconfig"] = "contig"
    out = io.BytesIO()
    tifffile.imwrite(
        out,
        levels[:, :, 0] if levels.shape[2] == 1 else levels,
        photometric=_PHOTOMETRIC.get(color, "minisblack"),
        compression="zlib",
        metadata=None,
        **extra,
    )
    return out.getvalue()
