"""Normalisation layers by name, and the rule which convolutions keep a bias."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from networks.sync_norm import SyncBatchNorm

NormLayer = Callable[[int], nn.Module]


class InstanceNorm(nn.InstanceNorm2d):
    """Every channel of every image to mean 0 and variance 1 (Ulyanov et al. 2016), without weights.

    PyTorch's own kernel returns wrong gradients on the CPU for one image in channels_last order; that order, and
    compiled code, get the formula.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W; in at least float32, returned in the type given."""
        other_order = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
        if x.shape[2] * x.shape[3] == 1 or not (other_order or torch.compiler.is_compiling()):
            return super().forward(x)  # which refuses maps of one point
        full = x if x.dtype == torch.float64 else x.float()
        variance, mean = torch.var_mean(full, (2, 3), correction=0, keepdim=True)
        return ((full - mean) * torch.rsqrt(variance + self.eps)).to(x.dtype)


_LAYERS: dict[str, NormLayer] = {
    "instance": InstanceNorm,
    "batch": nn.BatchNorm2d,
    "syncbatch": SyncBatchNorm,
    "none": nn.Identity,
}


def norm_layer(name: str) -> NormLayer:
    """Return what makes a normalisation layer for a number of channels."""
    return _LAYERS[name]


def needs_bias(name: str) -> bool:
    """Tell whether a convolution in front of this norm has a bias.

    Batch norm has its own. With ``none`` the official code leaves the bias out as well, so we do,
    or its files would not load.
    """
    return name == "instance"
