"""A generator in terms that every exporter understands, for images of any size.

``networks.any_size`` decides by the sizes at hand whether to pad at all. An exported graph has to hold for all sizes,
so here every image goes through the same gathers, which leave it as it is where it fits.

TorchScript compiles ``forward`` and what it calls, and takes comments on types in there for its own.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.export.adaptive import PLAIN
from inference.export.colors import Colorizing
from networks.any_size import AnySizeGenerator
from networks.johnson import LOST, UnpaddedBlock
from networks.norm import InstanceNorm
from networks.pad import ReflectionPad
from networks.repeatable import ImageNorm, sharing_copy
from networks.resnet import ResnetBlock

_in_torchscript = torch.jit.is_scripting  # type: ignore[attr-defined]
_larger_symbol: Callable[[int, int], int] = torch.sym_max  # type: ignore[assignment]


class AnySize(nn.Module):
    """What works on certain sizes, for all: extended by reflection before, cut after.

    Args:
        multiple: sides that ``layers`` works on, pixels.
        least: height and width at least.
    """

    def __init__(self, layers: nn.Module, multiple: int, least: int) -> None:
        super().__init__()
        self.layers, self.multiple, self.least = layers, multiple, least

    def forward(self, image: Tensor) -> Tensor:
        """Translate N x C x H x W in [-1, 1] to N x C' x H x W."""
        x = extended(extended(image, 2, self.multiple, self.least), 3, self.multiple, self.least)
        y = self.layers(x)
        return middle(middle(y, 2, image.shape[2], x.shape[2]), 3, image.shape[3], x.shape[3])


class EachImageNorm(nn.Module):
    """Every channel of every image to mean 0 and variance 1, then scaled where there are weights."""

    weight: Tensor | None
    bias: Tensor | None

    def __init__(self, weight: Tensor | None, bias: Tensor | None, eps: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight)
        self.register_buffer("bias", bias)
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        return F.instance_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


class Residual(nn.Module):
    """Add to the input, or its middle, what some layers make of it.

    Args:
        lost: points on each side that the layers take.
    """

    def __init__(self, layers: nn.Module, lost: int) -> None:
        super().__init__()
        self.layers, self.lost = layers, lost

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape, or what is left of it."""
        made: Tensor = self.layers(x)
        if self.lost > 0:
            x = x[:, :, self.lost : -self.lost, self.lost : -self.lost]
        return x + made


def portable(network: nn.Module, *, colorizes: bool = False) -> nn.Module:
    """Return a generator, as ``networks.repeatable`` makes it, in layers that every exporter knows; weights are shared.

    Args:
        colorizes: it makes colours of lightness; the result takes and gives RGB.
    """
    own = sharing_copy(network)
    for parent in list(own.modules()):
        for name, layer in list(parent.named_children()):
            parent.add_module(name, _plain(layer))
    assert isinstance(own, AnySizeGenerator)
    whole = AnySize(own.model, own.pads_to, own.least)
    return (Colorizing(whole) if colorizes else whole).eval()


def extended(x: Tensor, dim: int, multiple: int, least: int) -> Tensor:
    """Extend N x C x H x W by reflection to a multiple along a side, as ``networks.any_size.padded`` does."""
    length = x.shape[dim]
    wanted = (length + multiple - 1) // multiple * multiple
    if least > multiple:
        wanted = _larger(wanted, least)
    period = torch.full((1,), _larger(2 * (length - 1), 1), dtype=torch.int64, device=x.device)
    place = torch.remainder(torch.arange(wanted, device=x.device) - (wanted - length) // 2, period)
    return x.index_select(dim, torch.minimum(place, period - place))


def middle(y: Tensor, dim: int, length: int, extended_to: int) -> Tensor:
    """Take from a side of N x C x H x W what was there before it was extended, as ``networks.any_size.cut`` does."""
    return y.index_select(dim, torch.arange(length, device=y.device) + (extended_to - length) // 2)


def _larger(one: int, other: int) -> int:
    if _in_torchscript():
        return max(one, other)
    return _larger_symbol(one, other)  # max would hold for the sizes at hand only


def _plain(layer: nn.Module) -> nn.Module:
    if isinstance(layer, InstanceNorm):
        return EachImageNorm(None, None, layer.eps)
    if isinstance(layer, ImageNorm):
        return EachImageNorm(layer.weight, layer.bias, layer.eps)
    if isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm):  # with the statistics of the training
        norm = nn.BatchNorm2d(layer.num_features, layer.eps)
        norm.load_state_dict(layer.state_dict())
        return norm.eval()
    if isinstance(layer, ReflectionPad):
        return nn.ReflectionPad2d(layer.padding)
    if plain := PLAIN.get(type(layer)):
        return plain(layer)
    if isinstance(layer, ResnetBlock):
        return Residual(layer.conv_block, LOST if isinstance(layer, UnpaddedBlock) else 0)
    return layer
