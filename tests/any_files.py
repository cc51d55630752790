"""Arrays of any type, and result files read with what others would use."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

Array = npt.NDArray[Any]


def values(size: tuple[int, int], channels: int, dtype: Any) -> Array:
    """Random values over the whole range of a type, H x W x C; floats from 0 to 1 that integers of 16 bits make."""
    width, height = size
    random = np.random.RandomState(width * channels)
    if np.dtype(dtype).kind == "f":
        return (random.randint(0, 65536, (height, width, channels)) / 65536).astype(dtype)
    info = np.iinfo(dtype)
    return random.randint(info.min, info.max + 1, (height, width, channels)).astype(dtype)


def load(path: Path) -> Array:
    """Read a result with what others would use."""
    if path.suffix == ".npy":
        array = np.load(path)
    elif path.suffix == ".npz":
        array = next(iter(np.load(path).values()))
    elif path.suffix == ".tif":
        array = tifffile.imread(path)
    else:
        array = np.array(Image.open(path))
    return np.atleast_3d(array)
