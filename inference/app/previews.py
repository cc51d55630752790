"""What a browser is shown of images of any size and depth."""

from pathlib import Path

import numpy as np
from PIL import Image

from inference.app.store import Store
from options.data import Range
from util.images import to_uint8
from util.raster.kinds import Raster
from util.raster.values import to_pixels, units

LONGEST = 2048  # pixels a side
LOSSLESS = 2**20  # pixels up to which nothing is lost
THUMBNAIL = 256


def preview(raster: Raster, limits: Range | None, store: Store, name: str, *, longest: int = LONGEST) -> Path:
    """Write what can be shown of an image: 8 bits, the first three channels, not too many pixels.

    Args:
        limits: the values that become black and white; None takes those of the type.
        name: of the file, without an ending.

    Raises:
        UserError: its values lie outside.
    """
    image = shown(raster, limits, longest)
    if image.width * image.height <= LOSSLESS:
        path = store.new(f"{name}.png")
        image.save(path)
    else:
        path = store.new(f"{name}.jpg")
        image.save(path, quality=92)
    return path


def shown(raster: Raster, limits: Range | None, longest: int = LONGEST) -> Image.Image:
    """Return the image that ``preview`` writes."""
    height, width = raster.levels.shape[:2]
    step = max(1, max(height, width) // (3 * longest))  # far too many are not worth an average
    levels = np.ascontiguousarray(raster.levels[::step, ::step])
    if raster.color == "cmyk" and levels.dtype == np.uint8:
        image = Image.frombytes("CMYK", levels.shape[1::-1], levels.tobytes()).convert("RGB")
    else:
        image = Image.fromarray(to_uint8(units(to_pixels(levels, limits))[None]))
    factor = longest / max(height, width)
    if factor >= 1:
        return image
    return image.resize((max(1, round(width * factor)), max(1, round(height * factor))), Image.Resampling.BICUBIC)
