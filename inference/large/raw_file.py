"""Image files of any size: decoded to plain numbers on the disk, of which parts are read; libvips decodes."""

import logging
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from inference.large.box import Box
from options.errors import UserError
from util.raster.kinds import Color, Header, Levels, Raster, array_color, array_layout
from util.results import COLORS

TYPES = {"uchar": "uint8", "ushort": "uint16", "short": "int16", "int": "int32", "uint": "uint32", "float": "float32"}


class RawFile:
    """H x W x C numbers in a file; a part is mapped only as long as it is copied."""

    def __init__(
        self, path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], color: Color, *, offset: int = 0
    ) -> None:
        self.path, self.shape, self.dtype, self.color, self._offset = path, shape, dtype, color, offset

    def read(self, box: Box) -> Raster:
        """Return a part."""
        whole = np.memmap(self.path, self.dtype, "r", self._offset, self.shape)
        part = whole[box.top : box.bottom, box.left : box.right]
        return Raster(np.array(part, self.dtype.newbyteorder("=")), self.color)

    def write(self, box: Box, levels: Levels) -> None:
        """Put a part into the file, which is there."""
        whole = np.memmap(self.path, self.dtype, "r+", self._offset, self.shape)
        whole[box.top : box.bottom, box.left : box.right] = levels
        whole.flush()

    @property
    def header(self) -> Header:
        """What the image is."""
        height, width, channels = self.shape
        form = "NPY" if self.path.suffix == ".npy" else "PNG"
        return Header(form, width, height, channels, self.dtype.newbyteorder("="), self.color)


def unpacked(path: Path, folder: Path) -> RawFile:
    """Decode an image file, upright, into a file of numbers in ``folder``.

    Raises:
        UserError: pyvips is missing, the file cannot be read, or the disk is full.
    """
    if path.suffix.lower() == ".npy":
        return _npy(path)
    pyvips = vips()
    try:
        image = pyvips.Image.new_from_file(str(path), access="sequential")
        turned = image.get_typeof("orientation") and image.get("orientation") > 1
        if turned:
            image = pyvips.Image.new_from_file(str(path)).autorot()
        if image.interpretation == "lab":
            image = image.colourspace("srgb")
        if image.format not in TYPES:
            raise UserError(f"cannot read the image {path} (its numbers are {image.format}); convert it")
        dtype = np.dtype(TYPES[image.format])
        numbers = folder / "image.raw"
        image.rawsave(str(numbers))
    except pyvips.Error as error:
        raise UserError(f"cannot read the image {path} ({reason(error)}); repair it, or make room") from error
    color: Color = "cmyk" if image.interpretation == "cmyk" else COLORS.get(image.bands, "channels")
    return RawFile(numbers, (image.height, image.width, image.bands), dtype, color)


def empty(path: Path, shape: tuple[int, int, int], dtype: np.dtype[Any], color: Color) -> RawFile:
    """Make room for an image of numbers.

    Raises:
        UserError: the disk is too full.
    """
    size = int(np.prod([float(n) for n in shape])) * dtype.itemsize
    if shutil.disk_usage(path.parent).free < size:
        raise UserError(f"{size / 1e9:.1f} GB do not fit in {path.parent}; make room, or set TMPDIR to another disk")
    with path.open("wb") as file:
        file.truncate(size)
        if hasattr(os, "posix_fallocate"):  # else a disk that fills up meanwhile would end the program
            os.posix_fallocate(file.fileno(), 0, size)
    return RawFile(path, shape, dtype, color)


def _npy(path: Path) -> RawFile:
    values = np.load(path, mmap_mode="r", allow_pickle=False)
    height, width, channels, layout = array_layout(values.shape)
    if layout == "CHW" or not values.flags.c_contiguous or values.dtype.newbyteorder("=").name not in TYPES.values():
        raise UserError(
            f"the array {path} is too large to be converted; save it as height x width x channels of uint8, uint16 "
            "or float32"
        )
    return RawFile(path, (height, width, channels), values.dtype, array_color(channels), offset=int(values.offset))


def vips() -> Any:
    """Return the module pyvips.

    Raises:
        UserError: it is missing.
    """
    try:
        import pyvips
    except (ImportError, OSError) as error:
        raise UserError(
            "an image that is too large to be read at once needs the package pyvips; pip install 'pyvips[binary]'"
        ) from error
    logging.getLogger("pyvips").setLevel(logging.WARNING)  # it tells of its threads
    return pyvips


def reason(error: Exception) -> str:
    """Return what libvips says, in one line."""
    return " ".join(str(error).split())[:200]
