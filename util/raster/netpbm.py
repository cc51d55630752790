"""PPM and PGM whose largest level is not 255, which Pillow cuts to 8 bits in colour and reads pixel by pixel."""

import numpy as np
from PIL.ImageFile import ImageFile

from util.raster.border import Refused, Stream
from util.raster.kinds import CHANNELS, Levels

_CHANNELS_OF_MODE = {"L": CHANNELS["gray"], "I": CHANNELS["gray"], "RGB": CHANNELS["rgb"]}


def is_scaled_ppm(image: ImageFile) -> bool:
    """Tell whether a PPM or PGM was opened whose numbers Pillow would scale.

    Raises:
        Refused: it is written as text and would lose depth.
    """
    if image.format != "PPM":
        return False
    codec = image.tile[0][0]
    if codec == "ppm_plain" and image.mode == "RGB" and largest_level(image) > 255:
        raise Refused("colours of more than 8 bits are read from a binary PPM only, and this is text")
    return codec == "ppm"


def largest_level(image: ImageFile) -> int:
    """Return the number that stands for the brightest in a PPM or PGM."""
    layout = image.tile[0][3]
    return int(layout[1]) if isinstance(layout, tuple) else 255


def read_scaled_ppm(file: Stream, image: ImageFile) -> Levels:
    """Decode the pixels, H x W x C, scaled to the full range of 8 or 16 bits as Pillow does."""
    offset, largest = image.tile[0][2], largest_level(image)
    stored, dtype = (">u2", np.uint16) if largest > 255 else ("u1", np.uint8)
    shape = (image.height, image.width, _CHANNELS_OF_MODE[image.mode])
    wanted = int(np.prod(shape)) * np.dtype(stored).itemsize
    file.seek(offset)
    data = file.read(wanted)
    if len(data) < wanted:
        raise Refused("the file is cut off")
    levels = np.frombuffer(data, stored).reshape(shape)
    top = np.iinfo(dtype).max
    if largest == top:
        return levels.astype(dtype)
    scaled: Levels = np.minimum(np.rint(levels / largest * top), top).astype(dtype)
    return scaled
