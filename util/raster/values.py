"""Values of files as pixels and back.

Pixels are either **levels**, uint8 from 0 to 255, or **units**, float32 from -1 to 1, always C x H x W. 8-bit images
stay levels until they are on the device: a quarter of the bytes to resize, cut, keep and copy. All others become
units as soon as they are read.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from options.data import Range
from options.errors import UserError

BYTE_RANGE = (0.0, 255.0)


def units(pixels: Tensor) -> Tensor:
    """Return float32 in [-1, 1], on the same device; units as they are.

    Args:
        pixels: of any shape, a batch for example.
    """
    return pixels.div(255).sub_(0.5).mul_(2) if pixels.dtype == torch.uint8 else pixels  # as ToTensor, Normalize


def to_pixels(values: npt.NDArray[Any], limits: Range | None) -> Tensor:
    """Turn an image as it was read, H x W x C of any type, into pixels.

    Args:
        limits: the values that become -1 and 1; None takes those of the type, and 0 and 1 for floats.

    Raises:
        UserError: a value lies outside, or is no number, or the type's range says nothing; goes on after a name.
    """
    low, high = limits or range_of_type(values.dtype)
    planes = torch.from_numpy(values).permute(2, 0, 1)  # C x H x W; H x W x C in memory, which resizes fast
    if values.dtype == np.uint8 and (low, high) == BYTE_RANGE:
        return planes
    _check(values, low, high)
    exact = torch.float64 if values.dtype.itemsize == 4 and values.dtype.kind != "f" else torch.float32
    return planes.to(exact, copy=True).sub_(low).mul_(2 / (high - low)).sub_(1).float()


def from_pixels(pixels: Tensor, dtype: npt.DTypeLike, limits: Range | None) -> npt.NDArray[Any]:
    """Turn pixels back into values of a type, H x W x C: the inverse of ``to_pixels``, rounded for integers.

    Exact for integers that span less than 2^23.
    """
    kind = np.dtype(dtype)
    low, high = limits or range_of_type(kind)
    if kind == np.uint8 and (low, high) == BYTE_RANGE:  # float32 has enough digits, in a third of the time
        levels = units(pixels).clamp(-1, 1).add_(1).mul_(127.5).round_().to(torch.uint8)
        return np.ascontiguousarray(levels.permute(1, 2, 0).numpy())
    values = units(pixels).clamp(-1, 1).double().add(1).mul((high - low) / 2).add(low).permute(1, 2, 0).numpy()
    return np.ascontiguousarray(values.round() if kind.kind in "iu" else values).astype(kind)


def range_of_type(dtype: np.dtype[Any]) -> Range:
    """Return the values that become -1 and 1 where nobody says so: the type's own; 0 and 1 for floats.

    Raises:
        UserError: for 32-bit integers; goes on after a name.
    """
    if dtype.kind == "f":
        return 0.0, 1.0
    if dtype.itemsize > 2:
        raise UserError(f"holds {dtype} numbers, whose range says nothing; pass --value_range LOW,HIGH")
    info = np.iinfo(dtype)
    return float(info.min), float(info.max)


def _check(values: npt.NDArray[Any], low: float, high: float) -> None:
    least, most = float(values.min()), float(values.max())
    if not (np.isfinite(least) and np.isfinite(most)):
        raise UserError("holds values that are no numbers (NaN or infinite); repair or remove it")
    if least < low or most > high:
        raise UserError(
            f"holds values from {least:g} to {most:g}, outside {low:g} to {high:g}; pass --value_range LOW,HIGH "
            "(or --value_range_A, --value_range_B) with a range that covers all images"
        )
