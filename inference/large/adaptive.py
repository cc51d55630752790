"""The layers of ``networks.adalin`` over an image in parts; norms and averages are those of the whole image."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.large.maps import Convolved, FeatureMap, Kept, Pointwise, Stacked, Sum
from inference.large.statistics import Statistics
from networks.adalin import AdaptiveBlock, AdaptiveBlocks, Attention
from networks.blended_norm import LIN, BlendedNorm
from networks.blended_norm import blended as affine


class Walk(Protocol):
    """What turns layers into maps."""

    device: torch.device

    def through(self, x: FeatureMap, layers: nn.Sequential) -> FeatureMap:
        """Apply layers one after the other."""

    def keep(self, x: FeatureMap) -> Kept:
        """Compute a map and keep it."""

    def statistics(self, x: FeatureMap) -> Statistics:
        """Return those of a whole map."""


def blended(walk: Walk, x: FeatureMap, norm: BlendedNorm, gamma: Tensor, beta: Tensor) -> FeatureMap:
    """Normalise a map, then scale and shift by 1 x C x 1 x 1."""
    found = walk.statistics(x)
    points = x.height * x.width
    numbers = points * x.channels
    mean, variance = found.mean.to(walk.device), found.variance.to(walk.device)
    layer_mean = mean.mean()
    layer_variance = (variance + (mean - layer_mean) ** 2).mean()
    scale, shift = affine(
        norm.share()[0],
        mean[:, None, None],
        (variance * points / (points - 1))[:, None, None],
        layer_mean,
        layer_variance * numbers / (numbers - 1),
    )
    return Pointwise(x, lambda part: (part.float() - mean[:, None, None]) * (gamma * scale) + (gamma * shift + beta))


def own_blended(walk: Walk, x: FeatureMap, norm: LIN) -> FeatureMap:
    """Normalise a map, with the norm's own scale and shift."""
    return blended(walk, x, norm, norm.gamma, norm.beta)


def attended(walk: Walk, x: FeatureMap, layer: Attention) -> FeatureMap:
    """Weigh the channels."""
    weighted = (Pointwise(x, partial(torch.mul, weight)) for weight in layer.weights())
    return walk.keep(Pointwise(Convolved(Stacked(*weighted), layer.join), F.relu))


def adapted(walk: Walk, x: FeatureMap, layer: AdaptiveBlocks) -> FeatureMap:
    """Go through the blocks, with a scale and a shift made of the average over the whole map."""
    gamma, beta = layer.style(walk.statistics(x).mean.to(walk.device)[None])
    for block in layer.blocks:
        assert isinstance(block, AdaptiveBlock)
        y = blended(walk, walk.through(x, block.first), block.first_norm, gamma, beta)
        y = blended(walk, walk.through(y, block.second), block.second_norm, gamma, beta)
        x = walk.keep(Sum(x, y))
    return x


ADAPTIVE: dict[type[nn.Module], Callable[..., FeatureMap]] = {
    LIN: own_blended,
    Attention: attended,
    AdaptiveBlocks: adapted,
}
