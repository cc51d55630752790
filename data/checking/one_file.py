"""Look at one file: decode it whole and keep the little that a check needs."""

import hashlib
import os
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from options.errors import UserError
from util.raster.kinds import Header
from util.raster.reading import read_header, read_raster

GRID = 8  # rows and columns of the look
_FINE = 32  # samples of a cell's side, about

Levels = npt.NDArray[Any]  # H x W x C


class Seen(NamedTuple):
    """What was seen of a file that can be read.

    Attributes:
        low: the smallest value that is a number.
        high: the largest one.
        finite: False where some values are no numbers.
        constant: True where all pixels are equal.
        pixels: hash of size, type and pixels.
        look: what is brighter than its left neighbour on a grid of 8 x 8, which survives another encoding and another
            size; 0 where there is nothing to see.
    """

    header: Header
    low: float
    high: float
    finite: bool
    constant: bool
    pixels: bytes
    look: int


class Bad(NamedTuple):
    """A file that cannot be read.

    Attributes:
        reason: goes into brackets.
        damaged: False where the file may be fine: there is no permission, or not enough memory.
    """

    reason: str
    damaged: bool = True


CRASHED = Bad("the decoder crashed")


def examine(path: str) -> Seen | Bad:
    """Read a file; whatever is wrong with it is the answer, not an error."""
    try:
        header = read_header(path)
        levels = read_raster(path).levels
    except UserError as error:
        return Bad(
            reason_of(error, path), not isinstance(error.__cause__, (PermissionError, FileNotFoundError, MemoryError))
        )
    low, high, finite = _extent(levels)
    constant = bool((levels[::16, ::16] == levels[0, 0]).all() and (levels == levels[0, 0]).all())
    look = 0 if constant or not finite else look_of(levels)
    about = hashlib.blake2b(f"{levels.shape} {levels.dtype}".encode(), digest_size=16).digest()
    pixels = hashlib.blake2b(levels.data, digest_size=16, person=about).digest()
    return Seen(header, low, high, finite, constant, pixels, look)


def look_of(levels: Levels) -> int:
    """Return 64 bits that are the same for images that look the same: the difference hash."""
    height, width = levels.shape[:2]
    if height < GRID or width <= GRID:
        return 0
    steps = (max(1, height // (GRID * _FINE)), max(1, width // (GRID * _FINE)))
    gray = levels[:: steps[0], :: steps[1], :3].astype(np.float32).mean(axis=2)
    cells = np.asarray(Image.fromarray(gray).resize((GRID + 1, GRID), Image.Resampling.BICUBIC))
    bits = cells[:, 1:] > cells[:, :-1]
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def reason_of(error: UserError, path: str) -> str:
    """Return in brackets' length why a file cannot be read."""
    if isinstance(error.__cause__, OSError) and os.path.exists(path) and not os.path.getsize(path):
        return "the file is empty"
    text = str(error)
    beginning = f"cannot read the image {path} ("
    return text.removeprefix(beginning).rsplit("); ", 1)[0] if text.startswith(beginning) else text


def _extent(levels: Levels) -> tuple[float, float, bool]:
    """Return the smallest and the largest number, and whether all values are numbers."""
    if levels.dtype == np.uint8:  # nobody asks
        return 0.0, 255.0, True
    low, high = float(levels.min()), float(levels.max())
    if np.isfinite(low) and np.isfinite(high):
        return low, high, True
    numbers = levels[np.isfinite(levels)]
    return (float(numbers.min()), float(numbers.max()), False) if numbers.size else (0.0, 0.0, False)
