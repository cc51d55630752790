"""Bring images to the 299 x 299 pixels that Inception was trained on, by one of three rules that people publish with.

``clean`` (Parmar, Zhang, Zhu 2022, "On Aliased Resizing"): Pillow's bicubic filter, as wide as shrinking needs, on each
channel in float32; clipped, not rounded. ``legacy_pytorch``: bilinear between the nearest two pixels, however much an
image shrinks. ``legacy_tensorflow``: the same with TensorFlow 1's grid, whose first pixels coincide. The two old ones
alias where they shrink.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from options.evaluation import ResizeMode

SIDE = 299


def resized_for_inception(levels: Tensor, mode: ResizeMode) -> Tensor:
    """Resize N x 3 x H x W in uint8 to N x 3 x 299 x 299 around [-1, 1], float32, each as the rule's own code does."""
    return RESIZE[mode](levels)


def _clean(levels: Tensor) -> Tensor:
    channels = levels.float().cpu().numpy().reshape(-1, *levels.shape[2:])
    resized = [
        np.asarray(Image.fromarray(channel).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for channel in channels
    ]
    images = torch.from_numpy(np.stack(resized).clip(0, 255)).reshape(-1, 3, SIDE, SIDE)
    return (images.to(levels.device) - 128) / 128


def _pytorch(levels: Tensor) -> Tensor:
    return F.interpolate(levels.float() / 255, (SIDE, SIDE), mode="bilinear", align_corners=False) * 2 - 1


def _tensorflow(levels: Tensor) -> Tensor:
    images = _along(_along(levels.float(), 2), 3)
    return (images - 128) / 128


def _along(images: Tensor, axis: int) -> Tensor:
    """Interpolate along one axis; pixel i of the result lies at i * length / 299."""
    length = images.shape[axis]
    place = torch.arange(SIDE, device=images.device) * (length / SIDE)
    below = place.long()
    above = (below + 1).clamp(max=length - 1)
    share = (place - below).reshape([-1 if a == axis else 1 for a in range(4)])
    low, high = images.index_select(axis, below), images.index_select(axis, above)
    return low + (high - low) * share


RESIZE: Mapping[ResizeMode, Callable[[Tensor], Tensor]] = MappingProxyType(
    {"clean": _clean, "legacy_pytorch": _pytorch, "legacy_tensorflow": _tensorflow}
)
