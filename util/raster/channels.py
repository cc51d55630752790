"""Give an image the number of channels that a network takes or makes.

8-bit images are converted by Pillow, so that they become what other programs see; deeper ones by the same weights
without loss of depth.
"""

from typing import Any

import numpy as np
from PIL import Image

from options.errors import UserError
from util.raster.kinds import ARRAYS, CHANNELS, Color, Levels, Raster

_MODES: dict[Color, str] = {"gray": "L", "gray+alpha": "LA", "rgb": "RGB", "rgba": "RGBA", "cmyk": "CMYK"}
_BY_CHANNELS: dict[int, Color] = {1: "gray", 2: "gray+alpha", 3: "rgb", 4: "rgba"}
_LUMA = (299, 587, 114)  # of red, green and blue, in thousandths (ITU-R BT.601)


def with_channels(raster: Raster, channels: int, path: object) -> Levels:
    """Return the levels with as many channels as wanted, in their type: H x W x channels.

    Colours become gray by their luma, gray is repeated, alpha is dropped or added opaque. What has the channels
    already is returned as it is, CMYK as CMYK too.

    Args:
        path: of the image, for the message.

    Raises:
        UserError: the channels are no colours, or no colours are wanted.
    """
    levels, color = raster
    have = levels.shape[2]
    if have == channels:
        return levels
    if color == "channels" or channels not in _BY_CHANNELS:
        raise _refusal(levels.shape, channels, str(path))
    if levels.dtype == np.uint8:
        return _by_pillow(levels, color, _BY_CHANNELS[channels])
    if color == "cmyk":
        levels, color = _from_cmyk(levels), "rgb"
    return _converted(levels, has_alpha=color in ("gray+alpha", "rgba"), channels=channels)


def _refusal(shape: tuple[int, ...], channels: int, path: str) -> UserError:
    height, width, have = shape
    wanted = f"{channels} {'is' if channels == 1 else 'are'} wanted"
    advice = f"pass --input_nc {have} or --output_nc {have}, whichever is for this side"
    if not path.lower().endswith(ARRAYS):
        return UserError(
            f"the image {path} has {have} channel{'s' * (have != 1)}, but {wanted}; {advice}, or convert the image"
        )
    return UserError(
        f"the array {path} is read as {height} x {width} x {have} (height x width x channels, for which the shorter of "
        f"its outer axes is taken), but {wanted}; if that is right, {advice}, and if not, save it as a TIFF that "
        "names its axes (tifffile.imwrite with metadata={'axes': 'YXC'}, or 'CYX')"
    )


def _by_pillow(levels: Levels, color: Color, wanted: Color) -> Levels:
    height, width, _ = levels.shape
    image = Image.frombytes(_MODES[color], (width, height), levels.tobytes()).convert(_MODES[wanted])
    return np.array(image).reshape(height, width, CHANNELS[wanted])


def _converted(levels: Levels, *, has_alpha: bool, channels: int) -> Levels:
    """Convert between gray and colour, with alpha and without."""
    shown = levels.shape[2] - has_alpha
    base = levels[:, :, :shown]
    if channels <= 2 and shown == 3:
        base = _luma(base)
    elif channels > 2 and shown == 1:
        base = np.repeat(base, 3, axis=2)
    if channels in (1, 3):
        return np.ascontiguousarray(base)
    alpha = levels[:, :, -1:] if has_alpha else np.full((*levels.shape[:2], 1), _opaque(levels.dtype), levels.dtype)
    return np.concatenate([base, alpha], axis=2)


def _luma(rgb: Levels) -> Levels:
    """Return the weighted mean, rounded to the nearest for integers: H x W x 1."""
    if rgb.dtype.kind == "f":
        weighted: Levels = rgb @ np.array(_LUMA, rgb.dtype) / rgb.dtype.type(1000)
    else:
        weighted = (rgb.astype(np.int64) @ np.array(_LUMA) + 500) // 1000
    return weighted.astype(rgb.dtype)[:, :, None]


def _from_cmyk(cmyk: Levels) -> Levels:
    """Return (1 - ink) (1 - black) of each ink, in the range of the type: H x W x 3."""
    top = float(_opaque(cmyk.dtype))
    light = top - cmyk.astype(np.float64)
    rgb: Levels = light[:, :, :3] * light[:, :, 3:] / top
    return (rgb if cmyk.dtype.kind == "f" else np.rint(rgb)).astype(cmyk.dtype)


def _opaque(dtype: np.dtype[Any]) -> int | float:
    return 1.0 if dtype.kind == "f" else int(np.iinfo(dtype).max)
