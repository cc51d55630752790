"""PyTorch's layers with the mathematics of ``functions``, and how they are put in place.

A layer changes its class and nothing else: names, weights and files stay.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from networks.fast import small_maps, winograd
from networks.fast.functions import ColumnSum, Convolution, NormAndActivation, Reflection, Shape, Winograd
from networks.fast.rectifiers import RectifyingNorm, join_rectifiers
from networks.norm import InstanceNorm
from networks.pad import ReflectionPad

CHANNELS = 128  # in and out, from which Winograd's convolution can be the faster one
MANY, ENOUGH = 200, 64  # tiles of all images together, from which it is: in float32, and in a backward pass in bfloat16
FEW = 8  # channels out, up to which it pays to make more of them first
SMALL = 16  # pixels out, of all images together, up to which a convolution is best one matrix product
SMALL_TRANSPOSED = 64  # pixels in, the same for a transposed one
ONE = (1, 1)
WINOGRAD = {((taps, taps), (padding, padding)) for taps in (3, 4) for padding in range(taps)}  # what it computes


class FastLayer(nn.Module):
    """A layer whose passes have types of their own.

    Attributes:
        wide: type of the forward pass of convolutions; None: the input's.
        short: type of what is kept for the backward pass, and of that pass; None: the forward pass's.
    """

    wide: torch.dtype | None = None
    short: torch.dtype | None = None

    def types_for(self, x: Tensor) -> tuple[torch.dtype, torch.dtype]:
        """Return the types of both passes."""
        wide = self.wide or x.dtype
        return wide, self.short or wide if torch.is_grad_enabled() else wide


class FastConv2d(nn.Conv2d, FastLayer):
    """A convolution in the way that suits its shape.

    Attributes:
        constant: the weights stay as they are, so that what Winograd's convolution makes of them is kept.
    """

    constant = False
    _points: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Convolve N x C x H x W."""
        wide, short = self.types_for(x)
        shape = _shape(self)
        pixels = len(x) * x.shape[2] * x.shape[3] // (self.stride[0] * self.stride[1])
        if self.groups == 1 and self.dilation == ONE and pixels <= SMALL:
            return small_maps.convolve(x.to(self.weight.dtype), self.weight, self.bias, shape)
        x = x.to(wide, memory_format=torch.channels_last)
        tiles = self._count_tiles(x, shape)
        if tiles >= (ENOUGH if short == torch.bfloat16 else MANY):
            both = tiles >= MANY and wide != torch.bfloat16  # which rounds too much for it
            if both and self.constant and not torch.is_grad_enabled():
                return self._by_kept_points(x, shape.padding[0])
            return Winograd.apply(x, self.weight, self.bias, shape.padding[0], short, both)  # type: ignore[no-any-return, no-untyped-call]
        if self._is_plain(x) and shape.padding == (0, 0) and self.out_channels <= FEW and self.kernel_size[1] > 1:
            return self._by_columns(x, shape, short)
        return Convolution.apply(x, self.weight, self.bias, shape, short)  # type: ignore[no-any-return, no-untyped-call]

    def _by_kept_points(self, x: Tensor, padding: int) -> Tensor:
        if self._points is None or self._points.dtype != x.dtype:
            self._points = winograd.points_of(self.weight, x.dtype)
        y = winograd.convolve_points(x, self._points, self.kernel_size[0], padding)
        return y if self.bias is None else y.add_(self.bias[:, None, None])

    def _is_plain(self, x: Tensor) -> bool:
        fits = x.shape[2] >= self.kernel_size[0] and x.shape[3] >= self.kernel_size[1]
        return fits and self.stride == self.dilation == ONE and self.groups == 1

    def _count_tiles(self, x: Tensor, shape: Shape) -> int:
        """Return into how many tiles Winograd's convolution would cut images; 0 if it cannot, or should not."""
        enough = min(self.in_channels, self.out_channels) >= CHANNELS
        if not enough or not self._is_plain(x) or (self.kernel_size, shape.padding) not in WINOGRAD:
            return 0
        rows, columns = (winograd.tiles_for(side, self.kernel_size[0], shape.padding[0]) for side in x.shape[2:])
        return len(x) * rows * columns

    def _by_columns(self, x: Tensor, shape: Shape, short: torch.dtype) -> Tensor:
        """Convolve down the columns to a channel for each tap of a row, and add those up.

        Vectors of 16 numbers are full then; with three output channels they are not.
        """
        taps = self.weight.permute(3, 0, 1, 2).flatten(0, 1).unsqueeze(3)  # width K x C x height x 1
        taps = taps.contiguous(memory_format=torch.channels_last)
        parts: Tensor = Convolution.apply(x, taps, None, shape, short)  # type: ignore[no-untyped-call]
        y: Tensor = ColumnSum.apply(parts, self.kernel_size[1])  # type: ignore[no-untyped-call]
        return y if self.bias is None else y + self.bias[:, None, None]


class FastConvTranspose2d(nn.ConvTranspose2d, FastLayer):
    """A transposed convolution in the way that suits its shape."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Convolve N x C x H x W."""
        if output_size is not None:
            return super().forward(x, output_size)
        wide, short = self.types_for(x)
        shape = _shape(self)
        if self.groups == 1 and self.dilation == ONE and len(x) * x.shape[2] * x.shape[3] <= SMALL_TRANSPOSED:
            return small_maps.convolve_transposed(x.to(self.weight.dtype), self.weight, self.bias, shape)
        x = x.to(wide, memory_format=torch.channels_last)
        return Convolution.apply(x, self.weight, self.bias, shape, short)  # type: ignore[no-any-return, no-untyped-call]


class FastInstanceNorm(RectifyingNorm, FastLayer):
    """An instance norm, and the rectifier behind it."""

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


def speed_up(network: nn.Module, *, wide: torch.dtype | None = None, short: torch.dtype | None = None) -> None:
    """Give a network on the CPU the fast layers; it can no longer be differentiated twice.

    Layers with more to them than these know (borders that are not zeros, norms with weights) stay as they are.

    Args:
        wide, short: see ``FastLayer``. Winograd's convolution rounds too much for a forward pass in bfloat16, and is
            left out there.
    """
    for layer in list(network.modules()):
        if type(layer) in FAST and _is_known(layer):
            layer.__class__ = FAST[type(layer)]
        if isinstance(layer, FastLayer):
            layer.wide, layer.short = wide, short
    join_rectifiers(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def hold_weights(network: nn.Module) -> None:
    """Let fast layers keep what they compute of their weights, which will not change any more."""
    for layer in network.modules():
        if isinstance(layer, FastConv2d):
            layer.constant = True


def _is_known(layer: nn.Module) -> bool:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return layer.padding_mode == "zeros" and not isinstance(layer.padding, str)
    return not (isinstance(layer, nn.InstanceNorm2d) and (layer.affine or layer.track_running_stats))


def _shape(layer: nn.Conv2d | nn.ConvTranspose2d) -> Shape:
    assert not isinstance(layer.padding, str)
    transposed = isinstance(layer, nn.ConvTranspose2d)
    return Shape(layer.stride, layer.padding, layer.dilation, transposed, layer.output_padding, layer.groups)
