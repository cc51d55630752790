"""Reflection padding whose gradient can be the same in every run."""

import torch
from torch import Tensor, nn


class ReflectionPad(nn.ReflectionPad2d):
    """PyTorch's padding; under ``torch.use_deterministic_algorithms`` one made of cuts and mirrors.

    The GPU's own gradient of a reflection adds in any order, and PyTorch has no other.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Pad N x C x H x W on all four sides."""
        if not torch.are_deterministic_algorithms_enabled():
            return super().forward(x)
        left, right, top, bottom = self.padding
        return _reflect(_reflect(x, left, right, dim=-1), top, bottom, dim=-2)


def _reflect(x: Tensor, before: int, after: int, *, dim: int) -> Tensor:
    length = x.shape[dim]
    start = x.narrow(dim, 1, before).flip(dim)
    end = x.narrow(dim, length - 1 - after, after).flip(dim)
    return torch.cat([start, x, end], dim)
