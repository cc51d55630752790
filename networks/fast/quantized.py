"""Convolutions in 8-bit integers, for translating on CPUs: half the time of bfloat16, with some error.

Weights are rounded once, channel by channel; images as a whole while they pass, between their own least and greatest
number (dynamic quantization; Krishnamoorthi 2018, sections 2.1 and 3.1.1). Sums are exact, in 32 bits.
"""

import math
import warnings

import torch
from torch import Tensor, nn

from networks.fast.layers import CHANNELS, ONE, FastConv2d

LEVELS = 255
WEIGHT_LEVELS = 127


class QuantizedConv2d(FastConv2d):
    """A convolution whose weights do not change any more, in integers."""

    _packed: Tensor
    _scales: Tensor
    _zeros: Tensor

    def pack(self) -> None:
        """Round the weights and lay them out for oneDNN."""
        weight = self.weight.detach().float()
        self._scales = weight.abs().amax((1, 2, 3)).clamp(min=1e-12) / WEIGHT_LEVELS
        rounded = (weight / self._scales[:, None, None, None]).round().to(torch.int8)
        rounded = rounded.contiguous(memory_format=torch.channels_last)
        self._zeros = torch.zeros(len(weight), dtype=torch.int32)
        steps, ones, none = list(self.stride), [1, 1], [0, 0]
        self._packed = torch.ops.onednn.qconv_prepack(rounded, self._scales, 1.0, 0, steps, none, ones, 1, None)

    def forward(self, x: Tensor) -> Tensor:
        """Convolve N x C x H x W."""
        low, high = (float(value) for value in x.permute(0, 2, 3, 1).aminmax())
        if not math.isfinite(high - low):
            return super().forward(x)  # what is no number stays none
        low, high = min(low, 0.0), max(high, 0.0)  # so that zero is a level
        scale = max(high - low, 1e-12) / LEVELS
        zero = round(-low / scale)
        levels = _levels(x.float(), scale, zero)
        out = self.wide or x.dtype
        padding = [int(side) for side in self.padding]
        return torch.ops.onednn.qconv2d_pointwise(  # type: ignore[no-any-return]
            levels, scale, zero, self._packed, self._scales, self._zeros, self.bias,
            list(self.stride), padding, [1, 1], 1, 1.0, 0, out, "none", [], "",
        )  # fmt: skip


def quantize(network: nn.Module) -> int:
    """Let wide convolutions compute in integers, where PyTorch can; return how many."""
    if not hasattr(torch.ops.onednn, "qconv2d_pointwise"):
        return 0
    count = 0
    for layer in network.modules():
        if isinstance(layer, FastConv2d) and _is_wide(layer):
            layer.__class__ = QuantizedConv2d
            layer.pack()  # type: ignore[operator]
            count += 1
    return count


def _is_wide(layer: FastConv2d) -> bool:
    plain = layer.dilation == ONE and layer.groups == 1 and layer.kernel_size != ONE
    return plain and min(layer.in_channels, layer.out_channels) >= CHANNELS


def _levels(x: Tensor, scale: float, zero: int) -> Tensor:
    """Return uint8 in channels_last order."""
    x = x.contiguous(memory_format=torch.channels_last)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is to be removed some day; then this line fails, and a test
        return torch.quantize_per_tensor(x, scale, zero, torch.quint8).int_repr()
