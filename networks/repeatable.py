"""Turn a generator into a function of one image: no dropout, no image that sees another, no state.

The official code tests with batches of one in training mode, so batch norms take the statistics of the image at hand
(Isola et al. 2017, appendix 6.1). That is kept. Dropout is left out; the norms behind it even out what that changes.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks.spectral import without_spectral_norm


class ImageNorm(nn.Module):
    """A batch norm of a batch of one: every channel of every image to mean 0 and variance 1, then scaled."""

    weight: Tensor
    bias: Tensor

    def __init__(self, weight: Tensor, bias: Tensor, eps: float) -> None:
        super().__init__()
        self.register_buffer("weight", weight.detach())
        self.register_buffer("bias", bias.detach())
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        if len(x) == 1 and not torch.compiler.is_exporting():  # in any layout without a copy
            return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)
        return F.instance_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


def repeatable(network: nn.Module, *, running_statistics: bool = False) -> nn.Module:
    """Return a generator that shares the weights and treats every image alone, in evaluation mode.

    Weights with spectral norm are not shared: they are computed here, once.

    Args:
        running_statistics: let batch norms use what they have gathered in training, as ``--eval`` does.
    """
    alone = sharing_copy(network).eval().requires_grad_(False)
    without_spectral_norm(alone)
    for parent in list(alone.modules()):
        for name, layer in parent.named_children():
            if isinstance(layer, nn.Dropout):
                parent.register_module(name, nn.Identity())
            elif isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm) and not running_statistics:
                parent.register_module(name, ImageNorm(layer.weight, layer.bias, layer.eps))
    return alone


def sharing_copy(network: nn.Module) -> nn.Module:
    """Return a network with layers of its own and the same weights, not copies of them."""
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    return copy.deepcopy(network, shared)  # type: ignore[arg-type]
