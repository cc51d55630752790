"""Files of plain numbers as image files, part by part.

TIFF, PNG and NPY are written here, as libvips would map the whole file of numbers into memory; it writes JPEG and WebP.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from inference.large.box import Box
from inference.large.raw_file import RawFile, reason, vips
from inference.writing import TIFF, refuse_unfit
from options.errors import UserError
from util.raster.deep_png import write_png
from util.raster.kinds import Color, Header, Levels
from util.raster.writing import PHOTOMETRIC, fits_png

BAND = 256  # rows at a time
TILE = 256  # pixels a side of those of a TIFF


def suffix_for(header: Header, dtype: np.dtype[Any], color: Color, suffix: str) -> str:
    """Return the suffix of a translation: the one that is wanted, or the one that suits the image.

    Raises:
        UserError: such files cannot hold it.
    """
    if not suffix:
        return ".npy" if header.file_format == "NPY" else ".png" if fits_png(dtype, color) else ".tif"
    if suffix.lower() == ".bmp":
        raise UserError("an image as large as this does not become a BMP; pass --format png or tif")
    refuse_unfit(dtype, color, suffix)
    return suffix


def packed(numbers: RawFile, stem: Path, *, suffix: str, quality: int) -> Path:
    """Encode a file of numbers as an image; returns its path.

    Args:
        stem: of the file, to which the suffix is added.
        suffix: decides the format.

    Raises:
        UserError: the format cannot hold the image.
        OSError: it cannot be written.
    """
    target, temporary = (stem.with_name(name + suffix) for name in (stem.name, f".{stem.name}.tmp"))
    kind = suffix.lower()
    try:
        if kind == ".npy":
            _save_npy(numbers, temporary)
        elif kind == ".png":
            with temporary.open("wb") as file:
                write_png(file, numbers.shape, numbers.dtype, _bands(numbers))
        elif kind in TIFF:
            _save_tiff(numbers, temporary)
        else:
            _save_by_vips(numbers, temporary, quality)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
    return target


def _bands(numbers: RawFile) -> Iterator[Levels]:
    height, width, _ = numbers.shape
    for top in range(0, height, BAND):
        yield numbers.read(Box(top, min(height, top + BAND), 0, width)).levels


def _save_npy(numbers: RawFile, path: Path) -> None:
    with path.open("wb") as file:
        described = {"descr": np.lib.format.dtype_to_descr(numbers.dtype), "fortran_order": False}
        np.lib.format.write_array_header_1_0(file, described | {"shape": numbers.shape})
        for band in _bands(numbers):
            file.write(band.tobytes())


def _save_tiff(numbers: RawFile, path: Path) -> None:
    """Write tiles, deflated; those at the edges are filled up with zeros."""
    import tifffile

    height, width, channels = numbers.shape

    def tiles() -> Iterator[Levels]:
        for top in range(0, height, TILE):
            band = numbers.read(Box(top, min(height, top + TILE), 0, width)).levels
            for left in range(0, width, TILE):
                tile = np.zeros((TILE, TILE, channels), numbers.dtype)
                part = band[:, left : left + TILE]
                tile[: part.shape[0], : part.shape[1]] = part
                yield tile if channels > 1 else tile[:, :, 0]

    extra: dict[str, Any] = {"extrasamples": ["unassalpha"]} if numbers.color in ("gray+alpha", "rgba") else {}
    tifffile.imwrite(
        path,
        tiles(),
        shape=numbers.shape if channels > 1 else numbers.shape[:2],
        dtype=numbers.dtype,
        photometric=PHOTOMETRIC.get(numbers.color, "minisblack"),
        planarconfig="contig" if channels > 1 else None,
        tile=(TILE, TILE),
        compression="zlib",
        bigtiff=True,
        metadata=None,
        **extra,
    )


def _save_by_vips(numbers: RawFile, path: Path, quality: int) -> None:
    """Write 8 bits of gray or RGB, or RGBA as WebP."""
    pyvips = vips()
    height, width, channels = numbers.shape
    space = "b-w" if channels < 3 else "srgb"
    try:
        image = pyvips.Image.rawload(str(numbers.path), width, height, channels, interpretation=space)
        image.write_to_file(str(path), Q=quality)
    except pyvips.Error as error:
        raise UserError(f"cannot write {path.name} ({reason(error)}); pass --format png or tif") from error
