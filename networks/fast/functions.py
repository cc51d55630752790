"""The mathematics of the fast layers: each keeps for its backward pass what that needs and no more, in a short type.

A forward pass has the type of its images. There are no second derivatives.
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import Function
from torch.nn import functional as F

from networks.fast import winograd

Pair = tuple[int, ...]
Gradients = tuple[Tensor | None, ...]


class Shape(NamedTuple):
    """What a convolution is besides its numbers, in the order of ``torch.convolution``."""

    stride: Pair
    padding: Pair
    dilation: Pair
    transposed: bool
    output_padding: Pair
    groups: int


def differentiable_once(backward: Callable[[Any, Tensor], Gradients]) -> Callable[[Any, Tensor], Gradients]:
    """Refuse to be differentiated again, instead of forgetting that part of a gradient."""

    @functools.wraps(backward)
    def checked(ctx: Any, grad: Tensor) -> Gradients:
        if torch.is_grad_enabled():  # so it is under ``create_graph`` alone
            raise RuntimeError("the fast layers have no second derivative; pass --fast_layers off")
        return backward(ctx, grad)

    return checked


class Convolution(Function):
    """A convolution of any kind whose backward pass has a type of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, shape: Shape, short: torch.dtype) -> Tensor:
        """Convolve in the type of ``x``; ``short`` is that of what is kept, and of the backward pass."""
        ctx.shape, ctx.short, ctx.x_shape, ctx.full = shape, short, x.shape, weight.dtype
        weight = weight.to(x.dtype)
        ctx.save_for_backward(x.to(short) if ctx.needs_input_grad[1] else None, weight)
        return torch.convolution(x, weight, None if bias is None else bias.to(x.dtype), *shape)

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Return the gradients of images, weights and bias."""
        x, weight = ctx.saved_tensors
        by_x, by_weight, by_bias = ctx.needs_input_grad[:3]
        if x is None:
            x = torch.empty(ctx.x_shape, dtype=ctx.short, memory_format=torch.channels_last)  # its numbers do not count
        dx, dw, _ = torch.ops.aten.convolution_backward(
            grad.to(ctx.short), x, weight.to(ctx.short), None, *ctx.shape, (by_x, by_weight, False)
        )
        return _to(dx, grad.dtype), _to(dw, ctx.full), bias_gradient(grad, ctx.full) if by_bias else None, None, None


class Winograd(Function):
    """A convolution without stride, with fewer multiplications in the backward pass, and if ``both`` in both passes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, padding: int, short: torch.dtype, both: bool
    ) -> Tensor:
        """Convolve; ``short`` is the type of what is kept, and of the backward pass; ``both``: see above."""
        ctx.short, ctx.padding = short, padding
        ctx.save_for_backward(x.to(short) if ctx.needs_input_grad[1] else None, weight)
        if not both:
            return F.conv2d(x, weight.to(x.dtype), None if bias is None else bias.to(x.dtype), padding=padding)
        y = winograd.convolve(x, weight, padding).data  # no view to autograd, so that others may write into it
        return y if bias is None else y.add_(bias[:, None, None])

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Return the gradients of images, weights and bias."""
        x, weight = ctx.saved_tensors
        by_x, by_weight, by_bias = ctx.needs_input_grad[:3]
        short = grad.to(ctx.short)
        dx = winograd.input_gradient(short, weight, ctx.padding).to(grad.dtype) if by_x else None
        dw = winograd.weight_gradient(x, short, ctx.padding).to(weight.dtype) if by_weight else None
        return dx, dw, bias_gradient(grad, weight.dtype) if by_bias else None, None, None, None


class ColumnSum(Function):
    """The second half of a convolution whose first half went down the columns alone."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, width: int) -> Tensor:
        """Add up ``width`` groups of channels, each moved by one more column.

        N x (width K) x H x W becomes N x K x H x (W - width + 1).
        """
        n, channels, height, columns = x.shape
        ctx.shape, ctx.width, ctx.columns = (n, height, columns, channels), width, columns - width + 1
        groups = x.permute(0, 2, 3, 1).view(n, height, columns, width, -1)
        out: Tensor = groups[:, :, : ctx.columns, 0].contiguous()
        for place in range(1, width):
            out += groups[:, :, place : place + ctx.columns, place]
        return out.permute(0, 3, 1, 2).data  # no view to autograd

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Return the gradient of the groups."""
        out = grad.new_zeros(ctx.shape)
        groups, by_channel = out.view(*ctx.shape[:3], ctx.width, -1), grad.permute(0, 2, 3, 1)
        for place in range(ctx.width):
            groups[:, :, place : place + ctx.columns, place] = by_channel
        return out.permute(0, 3, 1, 2), None


class NormAndActivation(Function):
    """Every channel of every image to mean 0 and variance 1, then a (leaky) rectifier; keeps the normalised image."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, eps: float, slope: float, short: torch.dtype) -> Tensor:
        """Normalise N x C x H x W and multiply what is negative by ``slope``: 0 is a ReLU, 1 none."""
        ctx.slope = slope
        normal, factors = [], []
        for image in x.unsqueeze(1):  # the statistics of one image are those of a batch of one
            mean, variance = channel_statistics(image)
            normal.append(torch.native_batch_norm(image, None, None, mean, variance, False, 0.0, eps)[0])
            factors.append(torch.rsqrt(variance + eps))
        y = _together(normal)
        if ctx.needs_input_grad[0]:
            ctx.save_for_backward(y.to(short, copy=slope != 1), torch.stack(factors))
        return y if slope == 1 else F.leaky_relu_(y, slope)

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Return the gradient of the images."""
        normal, factors = ctx.saved_tensors
        normal = normal.to(grad.dtype)
        grad = grad.contiguous(memory_format=torch.channels_last)  # both in one order, or the kernel below errs
        if ctx.slope != 1:
            grad = torch.ops.aten.leaky_relu_backward(grad, normal, ctx.slope, False)
        zeros, ones = torch.zeros_like(factors[0]), torch.ones_like(factors[0])
        out = [
            torch.ops.aten.native_batch_norm_backward(
                one, y, None, None, None, zeros, ones, True, 0.0, [True, False, False]
            )[0]
            for one, y in zip(grad.unsqueeze(1), normal.unsqueeze(1), strict=True)
        ]
        return _together(out).mul_(factors[:, :, None, None]), None, None, None


def _together(images: list[Tensor]) -> Tensor:
    return images[0] if len(images) == 1 else torch.cat(images)


def channel_statistics(image: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and variance of each channel of 1 x C x H x W, column by column first.

    PyTorch's kernel for this order adds one number after the other; over a whole map float32 would lose digits.
    """
    _, channels, height, width = image.shape
    columns = image.permute(0, 2, 3, 1).reshape(1, height, 1, width * channels).permute(0, 3, 1, 2)
    found = torch.ops.aten.batch_norm_update_stats(columns, None, None, 0.0)
    means, variances = (values.view(width, channels) for values in found)
    mean = means.mean(0)
    return mean, (variances + (means - mean) ** 2).mean(0)


class Reflection(Function):
    """Reflection padding; keeps nothing."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, padding: list[int]) -> Tensor:
        """Pad N x C x H x W."""
        ctx.padding = padding
        return torch.ops.aten.reflection_pad2d(x, padding)  # type: ignore[no-any-return]

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Return the gradient of the image."""
        left, right, top, bottom = ctx.padding
        return _folded(_folded(grad, 2, top, bottom), 3, left, right), None


def _folded(grad: Tensor, dim: int, before: int, after: int) -> Tensor:
    """Return the gradient of what was reflected along one dimension."""
    size = grad.shape[dim] - before - after
    out = grad.narrow(dim, before, size).clone(memory_format=torch.preserve_format)
    out.narrow(dim, 1, before).add_(grad.narrow(dim, 0, before).flip(dim))
    out.narrow(dim, size - 1 - after, after).add_(grad.narrow(dim, before + size, after).flip(dim))
    return out


def bias_gradient(grad: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the sum over images and places; that of PyTorch's transposed convolutions takes longer than all else."""
    return grad.sum((0, 2, 3), dtype=dtype)


def _to(gradient: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    return None if gradient is None else gradient.to(dtype)
