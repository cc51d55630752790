"""PyTorch's layers with the mathematics of ``functions``, and how they are put in place.

A layer changes its class and nothing else: names, weights, files and the memory format stay.
"""

from collections.abc import Mapping
from itertools import pairwise

import torch
from torch import Tensor, nn

from networks.fast.functions import ColumnSum, Convolution, NormAndActivation, Reflection, Shape, Winograd
from networks.norm import InstanceNorm
from networks.pad import ReflectionPad

ENOUGH = 32  # channels in and out, from which Winograd's convolution is the faster one
FEW = 8  # channels out, up to which it pays to make more of them first


class FastLayer(nn.Module):
    """A layer whose backward pass has a type of its own.

    Attributes:
        short: type of what is kept for the backward pass, and of that pass; None: the input's.
    """

    short: torch.dtype | None = None


class FastConv2d(nn.Conv2d, FastLayer):
    """A convolution in the way that suits its shape."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve N x C x H x W."""
        x, short = x.contiguous(memory_format=torch.channels_last), self.short or x.dtype
        if self.suits_winograd and min(x.shape[2:]) >= 3:
            return Winograd.apply(x, self.weight, self.bias, short)  # type: ignore[no-any-return, no-untyped-call]
        if self._is_plain and self.out_channels <= FEW:
            return self._by_columns(x, short)
        return Convolution.apply(x, self.weight, self.bias, _shape(self), short)  # type: ignore[no-any-return, no-untyped-call]

    @property
    def suits_winograd(self) -> bool:
        """Whether it is 3 x 3 and has enough channels."""
        return self._is_plain and self.kernel_size == (3, 3) and min(self.in_channels, self.out_channels) >= ENOUGH

    @property
    def _is_plain(self) -> bool:
        return self.stride == self.dilation == (1, 1) and self.padding == (0, 0) and self.groups == 1

    def _by_columns(self, x: Tensor, short: torch.dtype) -> Tensor:
        """Convolve down the columns to a channel for each tap of a row, and add those up.

        Vectors of 16 numbers are full then; with three output channels they are not.
        """
        taps = self.weight.permute(3, 0, 1, 2).flatten(0, 1).unsqueeze(3)  # width K x C x height x 1
        taps = taps.contiguous(memory_format=torch.channels_last)
        parts: Tensor = Convolution.apply(x, taps, None, _shape(self), short)  # type: ignore[no-untyped-call]
        y: Tensor = ColumnSum.apply(parts, self.kernel_size[1])  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias[:, None, None]


class FastConvTranspose2d(nn.ConvTranspose2d, FastLayer):
    """A transposed convolution."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve N x C x H x W."""
        x, short = x.contiguous(memory_format=torch.channels_last), self.short or x.dtype
        return Convolution.apply(x, self.weight, self.bias, _shape(self), short)  # type: ignore[no-any-return, no-untyped-call]


class FastInstanceNorm(InstanceNorm, FastLayer):
    """An instance norm, and the rectifier behind it.

    Attributes:
        slope: of the rectifier below 0; 1: there is none.
    """

    slope: float = 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        if x.shape[2] * x.shape[3] == 1:
            return super().forward(x)  # which refuses it
        x, short = x.contiguous(memory_format=torch.channels_last), self.short or x.dtype
        return NormAndActivation.apply(x, self.eps, self.slope, short)  # type: ignore[no-any-return, no-untyped-call]


class FastReflectionPad(ReflectionPad, FastLayer):
    """A reflection that keeps nothing."""

    def forward(self, x: Tensor) -> Tensor:
        """Pad N x C x H x W on all four sides."""
        return Reflection.apply(x, list(self.padding))  # type: ignore[no-any-return, no-untyped-call]


FAST: Mapping[type[nn.Module], type[FastLayer]] = {
    nn.Conv2d: FastConv2d,
    nn.ConvTranspose2d: FastConvTranspose2d,
    InstanceNorm: FastInstanceNorm,
    ReflectionPad: FastReflectionPad,
}


def speed_up(network: nn.Module, *, short: torch.dtype | None) -> None:
    """Give a network on the CPU the fast layers; it can no longer be differentiated twice.

    Args:
        short: type of what is kept for the backward pass, and of that pass; None: the forward pass's.
    """
    for layer in list(network.modules()):
        if type(layer) in FAST:
            layer.__class__ = FAST[type(layer)]
            layer.short = short  # type: ignore[assignment]
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            layer.inplace = False  # what it would write over belongs to a fast layer
        if isinstance(layer, nn.Sequential):
            _join(layer)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _join(layers: nn.Sequential) -> None:
    """Let instance norms do the work of the rectifiers right behind them."""
    for norm, rectifier in pairwise(layers):
        if isinstance(norm, InstanceNorm) and isinstance(rectifier, nn.ReLU | nn.LeakyReLU):
            slope = rectifier.negative_slope if isinstance(rectifier, nn.LeakyReLU) else 0.0
            norm.slope = slope  # type: ignore[assignment]
            rectifier.__class__ = nn.Identity  # type: ignore[assignment]


def _shape(layer: nn.Conv2d | nn.ConvTranspose2d) -> Shape:
    assert not isinstance(layer.padding, str)
    transposed = isinstance(layer, nn.ConvTranspose2d)
    return Shape(layer.stride, layer.padding, layer.dilation, transposed, layer.output_padding, layer.groups)
