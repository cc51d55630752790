"""Where each pixel of an augmented image comes from.

A *move* takes the places that the pixels of the result read from (x and y in pixels from the centre of the image) to
other places. Moves are composed, so that an image is resampled once however many there are, and what lies outside the
image is its reflection: no move leaves a black corner.
"""

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from data.pixels import Size

Plane = npt.NDArray[np.float32]  # H x W, or 1 x W or H x 1 where all rows or columns are the same
Places = tuple[Plane, Plane]  # x and y
Move = Callable[[Places, float, Size, np.random.Generator], Places]

CONTROL_POINTS = 5  # of an elastic deformation, along each side


def perspective(places: Places, share: float, size: Size, rng: np.random.Generator) -> Places:
    """Tilt the image away from the eye: distances at its corners change by up to ``share``."""
    x, y = places
    width, height = size
    nearness = rng.uniform(-share, share) / width * x + rng.uniform(-share, share) / height * y + 1
    return x / nearness, y / nearness


def rotation(places: Places, degrees: float, size: Size, rng: np.random.Generator) -> Places:
    """Turn about the centre."""
    x, y = places
    angle = math.radians(degrees) * rng.uniform(-1, 1)
    cos, sin = math.cos(angle), math.sin(angle)
    return cos * x - sin * y, sin * x + cos * y


def translation(places: Places, share: float, size: Size, rng: np.random.Generator) -> Places:
    """Shift by a share of each side."""
    x, y = places
    width, height = size
    return x + share * width * rng.uniform(-1, 1), y + share * height * rng.uniform(-1, 1)


def zoom(places: Places, share: float, size: Size, rng: np.random.Generator) -> Places:
    """Enlarge or shrink, as likely one as the other."""
    x, y = places
    factor = math.pow(1 + share, rng.uniform(-1, 1))
    return x * factor, y * factor


def shear(places: Places, degrees: float, size: Size, rng: np.random.Generator) -> Places:
    """Slant to the left or right."""
    x, y = places
    return x + math.tan(math.radians(degrees) * rng.uniform(-1, 1)) * y, y


def elastic(places: Places, share: float, size: Size, rng: np.random.Generator) -> Places:
    """Shift each part its own way, smoothly, by up to about ``share`` of the side."""
    x, y = places
    width, height = size
    shifts = torch.from_numpy(rng.uniform(-share, share, (1, 2, CONTROL_POINTS, CONTROL_POINTS)).astype(np.float32))
    smooth = interpolate(shifts, (height, width), mode="bicubic", align_corners=True)[0].numpy()
    return x + width * smooth[0], y + height * smooth[1]


def draw_shifts(moves: Iterable[tuple[Move, float, np.random.Generator]], size: Size) -> Tensor:
    """Compose moves, each with its strength and randomness.

    Returns:
        From each pixel to where it reads, 1 x H x W x 2, in half sides of the image.
    """
    width, height = size
    still: Places = _centred(width)[None, :], _centred(height)[:, None]
    places = still
    for move, strength, rng in moves:
        places = move(places, strength, size, rng)
    shifts = np.empty((1, height, width, 2), np.float32)
    for axis, side in enumerate(size):
        shifts[0, :, :, axis] = (_reflected(places[axis], side) - still[axis]) * (2 / side)
    return torch.from_numpy(shifts)


def shifted(image: Tensor, shifts: Tensor, *, label: bool) -> Tensor:
    """Resample a C x H x W image of any dtype; a label map keeps to the values it has."""
    from torchvision.transforms.v2 import InterpolationMode
    from torchvision.transforms.v2 import functional as F

    mode = InterpolationMode.NEAREST if label else InterpolationMode.BILINEAR
    moved: Tensor = F.elastic(image, shifts, interpolation=mode)
    return moved


def _centred(side: int) -> Plane:
    return np.linspace((1 - side) / 2, (side - 1) / 2, side, dtype=np.float32)


def _reflected(plane: Plane, side: int) -> Plane:
    """Fold places outside the image back into it, as mirrors at the centres of its outermost pixels would."""
    if side == 1:
        return np.zeros_like(plane)
    period, edge = np.float32(2 * (side - 1)), np.float32((side - 1) / 2)
    turns: Plane = (plane + edge) / period
    folded: Plane = np.abs(turns - np.rint(turns)) * period - edge
    return folded
