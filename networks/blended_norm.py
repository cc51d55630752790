"""Norms between instance norm and layer norm, which U-GAT-IT learns channel by channel (Kim et al. 2020, equation 1).

Variances are unbiased (divided by the count minus one), as in the authors' PyTorch code.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import Function

EPS = 1e-5
START = 0.9  # share of instance norm in AdaLIN


class Share(Function):
    """A number that is read as one from 0 to 1.

    Beyond the ends it stays at them, and its gradient is 0 where descent would lead farther out, so that it can always
    come back. What is stored may pass the ends by the last step; as what is read never does, averages of weights and
    recorded steps need nothing else.
    """

    @staticmethod
    def forward(ctx: Any, stored: Tensor) -> Tensor:
        """Return what is read."""
        ctx.save_for_backward(stored)
        return stored.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        """Return the gradient of what is stored."""
        (stored,) = ctx.saved_tensors
        outwards = ((stored <= 0) & (grad > 0)) | ((stored >= 1) & (grad < 0))
        return grad.masked_fill(outwards, 0)


class BlendedNorm(nn.Module):
    """Instance norm times rho plus layer norm, over channels and places, times one minus rho; rho has one channel each.

    Args:
        start: rho's first value.
    """

    def __init__(self, channels: int, start: float) -> None:
        super().__init__()
        self.rho = nn.Parameter(torch.full((1, channels, 1, 1), start))

    def share(self) -> Tensor:
        """Return rho, 1 x C x 1 x 1 in [0, 1]."""
        return Share.apply(self.rho)  # type: ignore[no-any-return, no-untyped-call]


class LIN(BlendedNorm):
    """A blended norm with a scale and a shift of its own; begins as layer norm."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 0.0)
        self.gamma = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.beta = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        return normalised(x, self.share(), self.gamma, self.beta)


class AdaLIN(BlendedNorm):
    """A blended norm whose scale and shift are made of the image."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, START)

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Normalise N x C x H x W; ``gamma`` and ``beta`` are N x C x 1 x 1."""
        return normalised(x, self.share(), gamma, beta)


def normalised(x: Tensor, rho: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Normalise N x C x H x W of more than one place, then scale and shift; in at least float32.

    Args:
        rho: share of instance norm, 1 x C x 1 x 1 in [0, 1].
        gamma, beta: N or 1 x C x 1 x 1.

    Returns:
        The type given.
    """
    full = x if x.dtype == torch.float64 else x.float()
    variance, mean = torch.var_mean(full, [2, 3], correction=1, keepdim=True)
    layer_variance, layer_mean = torch.var_mean(full, [1, 2, 3], correction=1, keepdim=True)
    scale, shift = blended(rho, mean, variance, layer_mean, layer_variance)
    return ((full - mean) * (gamma * scale) + (gamma * shift + beta)).to(x.dtype)


def blended(
    rho: Tensor, mean: Tensor, variance: Tensor, layer_mean: Tensor, layer_variance: Tensor, eps: float = EPS
) -> tuple[Tensor, Tensor]:
    """Return what the distance from a channel's mean is to be multiplied by, and what is to be added.

    Args:
        rho: as above.
        mean, variance: of the channels, N x C x 1 x 1, unbiased.
        layer_mean, layer_variance: of all channels together, N x 1 x 1 x 1.
        eps: no global, which TorchScript does not read.
    """
    whole = (1 - rho) * torch.rsqrt(layer_variance + eps)
    return rho * torch.rsqrt(variance + eps) + whole, (mean - layer_mean) * whole
