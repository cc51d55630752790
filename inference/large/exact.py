"""A generator over an image of any size, with the norms of the whole image, layer after layer.

Instance norm needs the mean of a whole map before its first point can be computed. So the maps between the residual
blocks, a quarter of the image's size, are computed part by part, kept, and normalised once all parts are known. The
maps at the full and half size, which are large and cheap, are computed again whenever they are needed, unless there is
memory for them: for a ResNet generator of 9 blocks about a tenth more multiplications than at once.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.large.box import boxes
from inference.large.kept import FileStore, Kept, Statistics, Store
from inference.large.maps import (
    Convolved,
    Doubled,
    FeatureMap,
    Pointwise,
    Rearranged,
    Reflected,
    Source,
    Stacked,
    Sum,
    Unconvolved,
)
from networks.adalin import AdaptiveBlock, AdaptiveBlocks, Attention
from networks.any_size import AnySizeGenerator
from networks.blended_norm import LIN, BlendedNorm, blended
from networks.fast.rectifiers import RectifyingNorm
from networks.johnson import LOST, UnpaddedBlock
from networks.repeatable import ImageNorm
from networks.resnet import ResnetBlock
from networks.unet import OuterBlock, SkipBlock
from options.errors import UserError
from util.reflection import reflection

NORMS = (nn.InstanceNorm2d, ImageNorm)
POINTWISE = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.BatchNorm2d, nn.SyncBatchNorm)
UNCHANGED = (nn.Identity, nn.Dropout)
PASSES = (*NORMS, ResnetBlock, BlendedNorm, AdaptiveBlock)  # over a whole map


class Plan(NamedTuple):
    """How the work is cut.

    Attributes:
        side: of a part, pixels of the image.
        memory: bytes that kept maps may take; the others go to a file.
        kept: values per pixel of the image up to which a map is kept.
        progress: is told the share of the work that is done, roughly.
    """

    side: int
    memory: float
    kept: float
    progress: Callable[[float], None]


def exact_map(network: nn.Module, image: Source, plan: Plan, device: torch.device) -> FeatureMap:
    """Return the network's output, whose parts can be read in any order; most of the work is done before it returns.

    Raises:
        UserError: the network is no generator, or has a layer that is not known.
    """
    sides = image.height, image.width
    if not isinstance(network, AnySizeGenerator):
        raise UserError(f"a {type(network).__name__} cannot be computed in exact parts; pass --tiling blend")
    wanted = [max(network.least, -(-n // network.pads_to) * network.pads_to) for n in sides]
    rows, columns = (reflection(have, want) for have, want in zip(sides, wanted, strict=True))
    padded = image if wanted == list(sides) else Rearranged(image, rows, columns)
    out = _Walk(plan, network, padded, device).after(padded, network.model)
    top, left = (len(rows) - image.height) // 2, (len(columns) - image.width) // 2
    return Rearranged(out, torch.arange(top, top + image.height), torch.arange(left, left + image.width))


class _Walk:
    """Goes through a network and turns layers into maps."""

    def __init__(self, plan: Plan, network: nn.Module, image: FeatureMap, device: torch.device) -> None:
        self._plan, self.device = plan, device
        self._height, self._pixels = image.height, image.height * image.width
        self._passes = 1 + sum(isinstance(layer, PASSES) for layer in network.modules())
        self._done = 0.0

    def _through(self, x: FeatureMap, layers: nn.Sequential) -> FeatureMap:
        """Apply layers one after the other."""
        for layer in layers:
            x = self.after(x, layer)
        return x

    def after(self, x: FeatureMap, layer: nn.Module) -> FeatureMap:
        """Apply a layer, or what it consists of."""
        if isinstance(layer, nn.Sequential):
            return self._through(x, layer)
        if isinstance(layer, OuterBlock):
            return self._through(x, layer.model)
        if isinstance(layer, ResnetBlock):
            return self._keep(Sum(_skip(x, layer), self._through(x, layer.conv_block)))
        if isinstance(layer, SkipBlock):
            return Stacked(x, self._through(x, layer.model))
        if isinstance(layer, nn.Upsample):
            return Doubled(x)
        if isinstance(layer, LIN):
            return self._blended(x, layer, layer.gamma, layer.beta)
        if isinstance(layer, Attention):
            weighted = (Pointwise(x, partial(torch.mul, weight)) for weight in layer.weights())
            return self._keep(Pointwise(Convolved(Stacked(*weighted), layer.join), F.relu))
        if isinstance(layer, AdaptiveBlocks):
            return self._adapted(x, layer)
        if isinstance(layer, nn.ReflectionPad2d):
            return Reflected(x, layer.padding[0])
        if isinstance(layer, nn.Conv2d):
            return self._kept_if_small(Convolved(x, layer))
        if isinstance(layer, nn.ConvTranspose2d):
            return self._kept_if_small(Unconvolved(x, layer))
        if isinstance(layer, NORMS):
            return self._normalised(x, layer)
        if isinstance(layer, UNCHANGED):
            return x
        if not isinstance(layer, POINTWISE):
            raise UserError(f"a {type(layer).__name__} cannot be computed in exact parts; pass --tiling blend")
        return Pointwise(x, layer)

    def _kept_if_small(self, x: FeatureMap) -> FeatureMap:
        values = x.channels * x.height * x.width
        small = values <= self._plan.kept * self._pixels * 1.1  # sides are rounded up
        return self._keep(x) if small or values * 2 <= self._plan.memory / 4 else x

    def _keep(self, x: FeatureMap) -> Kept:
        """Compute a map and keep it."""
        size = x.channels * x.height * x.width
        store: Store
        if size * 4 <= self._plan.memory / 4:
            store = Store(x.channels, x.height, x.width, torch.float32)
        elif size * 2 <= self._plan.memory / 4:
            store = Store(x.channels, x.height, x.width, torch.float16)
        else:
            store = FileStore(x.channels, x.height, x.width)
        return Kept(store, self._pass(x, store), self.device)

    def _pass(self, x: FeatureMap, store: Store | None) -> Statistics:
        """Compute all parts of a map once."""
        found, counts = Statistics(x.channels), not isinstance(x, Sum)  # behind which no norm stands
        side = max(16, round(self._plan.side * x.height / self._height))
        for box in boxes(x.height, x.width, side):
            part = x.read(box)
            if counts:
                found.add(part)
            if store:
                store.write(box, part)
            self._done += box.height * box.width / (x.height * x.width)
            self._plan.progress(min(1.0, self._done / self._passes))
        return found

    def _statistics(self, x: FeatureMap) -> Statistics:
        """Return those of a whole map."""
        return x.statistics if isinstance(x, Kept) else self._pass(x, None)

    def _normalised(self, x: FeatureMap, layer: nn.InstanceNorm2d | ImageNorm) -> FeatureMap:
        found = self._statistics(x)
        mean, variance = found.mean.to(self.device), found.variance.to(self.device)
        slope = layer.slope if isinstance(layer, RectifyingNorm) else 1.0

        def apply(part: Tensor) -> Tensor:
            y = F.batch_norm(part.float(), mean, variance, layer.weight, layer.bias, False, 0.0, layer.eps)
            return y if slope == 1 else F.leaky_relu_(y, slope)

        return Pointwise(x, apply)

    def _blended(self, x: FeatureMap, norm: BlendedNorm, gamma: Tensor, beta: Tensor) -> FeatureMap:
        """Normalise a map by channel and as a whole (``networks.adalin``), then scale and shift by 1 x C x 1 x 1."""
        found = self._statistics(x)
        points = x.height * x.width
        numbers = points * x.channels
        mean, variance = found.mean.to(self.device)[:, None, None], found.variance.to(self.device)[:, None, None]
        layer_mean = mean.mean()
        layer_variance = (variance + (mean - layer_mean) ** 2).mean()
        unbiased = variance * points / (points - 1), layer_variance * numbers / (numbers - 1)
        scale, shift = blended(norm.share()[0], mean, unbiased[0], layer_mean, unbiased[1])
        return Pointwise(x, lambda part: (part.float() - mean) * (gamma * scale) + (gamma * shift + beta))

    def _adapted(self, x: FeatureMap, layer: AdaptiveBlocks) -> FeatureMap:
        """Go through the blocks, with a scale and a shift made of the average over the whole map."""
        gamma, beta = layer.style(self._statistics(x).mean.to(self.device)[None])
        for block in layer.blocks:
            assert isinstance(block, AdaptiveBlock)
            y = self._blended(self._through(x, block.first), block.first_norm, gamma, beta)
            y = self._blended(self._through(y, block.second), block.second_norm, gamma, beta)
            x = self._keep(Sum(x, y))
        return x


def _skip(x: FeatureMap, block: ResnetBlock) -> FeatureMap:
    if not isinstance(block, UnpaddedBlock):
        return x
    return Rearranged(x, torch.arange(LOST, x.height - LOST), torch.arange(LOST, x.width - LOST))
