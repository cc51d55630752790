"""Layers for NVIDIA GPUs: instance norms that do the work of the rectifier or the sum behind them.

A layer changes its class and nothing else: names, weights and files stay.
"""

import torch
from torch import Tensor, nn

from networks.fast.rectifiers import RectifyingNorm, join_rectifiers
from networks.norm import InstanceNorm
from networks.resnet import ResnetBlock


class FusedInstanceNorm(RectifyingNorm):
    """An instance norm, the rectifier behind it and a sum."""

    def forward(self, x: Tensor, residual: Tensor | None = None) -> Tensor:
        """Normalise N x C x H x W and add ``residual`` to the result."""
        if x.shape[2] * x.shape[3] == 1:
            return super().forward(x)  # which refuses it
        from networks.fast.triton_norm import FusedNorm  # needs the package triton

        return FusedNorm.apply(x, residual, self.eps, self.slope)  # type: ignore[no-any-return, no-untyped-call]


class FusedResnetBlock(ResnetBlock):
    """A residual block whose last norm adds what the block was given."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        *layers, last = self.conv_block
        if (self.recomputed and torch.is_grad_enabled()) or not isinstance(last, FusedInstanceNorm):
            return super().forward(x)
        y = x
        for layer in layers:
            y = layer(y)
        return last(y, x)  # type: ignore[no-any-return]


def fuse(network: nn.Module) -> None:
    """Give a network on a GPU the fused norms; it can no longer be differentiated twice."""
    for layer in network.modules():
        if type(layer) is InstanceNorm and not (layer.affine or layer.track_running_stats):
            layer.__class__ = FusedInstanceNorm
        elif type(layer) is ResnetBlock:
            layer.__class__ = FusedResnetBlock
    join_rectifiers(network)
