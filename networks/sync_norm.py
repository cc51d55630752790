"""Batch norm with the statistics of all processes, on the CPU as well (PyTorch's own needs GPUs)."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.autograd.function import Function, once_differentiable

from util.distributed import all_reduce


class SyncBatchNorm(nn.SyncBatchNorm):
    """Every channel of the images of all processes to mean 0 and variance 1, then scaled and shifted.

    All processes must call it as often, with images of any number. Alone it is batch norm.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        shared = self.training and dist.is_initialized() and dist.get_world_size() > 1
        if x.is_cuda or not shared:
            return super().forward(x)
        normal, mean, variance, count = _Normalise.apply(x, self.eps)  # type: ignore[no-untyped-call]
        self._remember(mean, variance * count / (count - 1).clamp_min(1))
        return torch.addcmul(self.bias.to(x.dtype)[:, None, None], normal, self.weight.to(x.dtype)[:, None, None])

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of this batch."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked += 1
        share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
        self.running_var.lerp_(variance.to(self.running_var.dtype), share)


class _Normalise(Function):
    """To mean 0 and variance 1 over the images and places of all processes."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return the normalised images, and mean, variance and count of what they were."""
        ctx.dtype, x = x.dtype, x.double() if x.dtype == torch.float64 else x.float()
        own = x.new_tensor([x.numel() / x.shape[1]])
        sums = all_reduce(torch.cat([x.sum((0, 2, 3)), own]))
        count = sums[-1]
        mean = sums[:-1] / count
        apart = x - mean[:, None, None]
        variance = all_reduce((apart * apart).sum((0, 2, 3))) / count
        factor = torch.rsqrt(variance + eps)
        normal = apart * factor[:, None, None]
        ctx.save_for_backward(normal, factor, count)
        ctx.mark_non_differentiable(mean, variance, count)
        return normal.to(ctx.dtype), mean, variance, count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the images."""
        normal, factor, count = ctx.saved_tensors
        grad = grads[0].to(normal.dtype)
        sums = all_reduce(torch.stack([grad.sum((0, 2, 3)), (grad * normal).sum((0, 2, 3))])) / count
        plain, along = sums[:, :, None, None]
        return (factor[:, None, None] * (grad - plain - normal * along)).to(ctx.dtype), None
