"""Save an image with Pillow, and read it with us, header and all."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from util.raster.reading import read_header, read_raster


def saved(image: Image.Image | None, path: Path, **options: Any) -> Path:
    assert image
    image.save(path, **options)
    return path


def read(path: Path) -> npt.NDArray[np.generic]:
    """Read an image whose header must say what it is."""
    header, raster = read_header(path), read_raster(path)
    described = (header.height, header.width, header.channels), header.dtype, header.color
    assert described == (raster.levels.shape, raster.levels.dtype, raster.color)
    return raster.levels


def same(found: npt.NDArray[np.generic], expected: Image.Image) -> bool:
    array = np.asarray(expected)
    return np.array_equal(found, array if array.ndim == 3 else array[:, :, None])
