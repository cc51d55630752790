"""Tensors to 8-bit images and back to files."""

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from torch import Tensor

from util.files import whole_file

JPEG_QUALITY = 80

ImageArray = npt.NDArray[np.uint8]  # H x W x 3, or H x W for gray


def to_uint8(images: Tensor) -> ImageArray:
    """Turn the first image of a batch into an 8-bit image, rounded to the nearest level.

    Args:
        images: N x C x H x W in [-1, 1], on any device. Synchronises the device.

    Returns:
        H x W x 3 of the first three channels, or H x W of the first where there are only one or two (gray and alpha).
    """
    first = images[0, : 3 if images.shape[1] > 2 else 1].detach().float().clamp(-1, 1).cpu()  # sync
    levels = ((first + 1) * 127.5).round().byte().numpy()
    return levels[0] if len(levels) == 1 else np.ascontiguousarray(levels.transpose(1, 2, 0))


def as_rgb(image: ImageArray) -> ImageArray:
    """Repeat a gray image over three channels; return a colour image unchanged."""
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image


def save_image(image: ImageArray, path: Path) -> None:
    """Write a PNG, or a JPEG where the path ends in ``.jpg``, so that the file is there whole or not at all."""
    with whole_file(path) as file:
        if path.suffix == ".jpg":
            file.write(jpeg(image))
        else:
            Image.fromarray(image).save(file, format="PNG")


def jpeg(image: ImageArray) -> bytes:
    """Return an image, gray or in colour, as a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(image).convert("RGB").save(buffer, format="JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
