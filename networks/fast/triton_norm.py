# mypy: disable-error-code="no-untyped-def,untyped-decorator"
"""Instance norm, the rectifier behind it and the sum with a residual in one, for NVIDIA GPUs (Triton).

Each pass is two kernels: one looks at chunks of every map, the next puts together what they found and writes the
result. Maps may lie in either order of memory. There are no second derivatives.

Import this where the package triton is at hand. With TRITON_INTERPRET=1 in the environment the same kernels run,
slowly, on the CPU.
"""

from typing import Any, NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.autograd.function import Function

from networks.fast.functions import Gradients, differentiable_once

TILE = 2048  # numbers that a kernel holds at once
MOST_CHANNELS = 32  # of a tile, where those of a pixel lie together
MOST_CHUNKS = 128  # of a map
TRITON = {torch.float32: tl.float32, torch.float64: tl.float64}


class FusedNorm(Function):
    """Every channel of every image to mean 0 and variance 1, then a (leaky) rectifier, then a sum with a residual."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, residual: Tensor | None, eps: float, slope: float) -> Tensor:
        """Normalise N x C x H x W, multiply what is negative by ``slope`` (1: nothing), and add ``residual``."""
        x = x.contiguous(memory_format=order(x))
        how, y, statistics = cut(x), torch.empty_like(x), x.new_empty(2, *x.shape[:2], dtype=wide(x))
        added = y if residual is None else residual.contiguous(memory_format=order(x))
        found = x.new_empty(2, how.grid[0], *x.shape[:2], dtype=wide(x))
        _moments[how.grid](x, found, *how.sizes, **how.tile, WIDE=TRITON[wide(x)])
        _normalise[how.grid](
            x, added, found, statistics, y, *how.sizes, eps, slope,
            RESIDUAL=residual is not None, CHUNKS=how.chunks, **how.tile, WIDE=TRITON[wide(x)],
        )  # fmt: skip
        ctx.save_for_backward(x, statistics)
        ctx.slope = slope
        return y

    @staticmethod
    @differentiable_once
    def backward(ctx: Any, grad: Tensor) -> Gradients:
        """Return the gradients of images and residual."""
        x, statistics = ctx.saved_tensors
        dx = None
        if ctx.needs_input_grad[0]:
            how, dx, given = cut(x), torch.empty_like(x), grad.contiguous(memory_format=order(x))
            found = x.new_empty(2, how.grid[0], *x.shape[:2], dtype=wide(x))
            known = (x, given, statistics, found)
            _gradient_sums[how.grid](*known, *how.sizes, ctx.slope, **how.tile, WIDE=TRITON[wide(x)])
            _gradient[how.grid](*known, dx, *how.sizes, ctx.slope, CHUNKS=how.chunks, **how.tile, WIDE=TRITON[wide(x)])
        return dx, grad if ctx.needs_input_grad[1] else None, None, None


class Cut(NamedTuple):
    """How maps are cut into tiles, and tiles put together to chunks.

    Attributes:
        grid: chunks, groups of channels, images.
        sizes: channels, points of a map, how far apart images, points and channels lie, points of a chunk.
        tile: points and channels of one.
        chunks: of a map, rounded up to a power of two.
    """

    grid: tuple[int, int, int]
    sizes: tuple[int, int, int, int, int, int]
    tile: dict[str, int]
    chunks: int


def cut(x: Tensor) -> Cut:
    """Return how N x C x H x W is cut."""
    n, c, points = len(x), x.shape[1], x.shape[2] * x.shape[3]
    by_pixel = order(x) == torch.channels_last
    channels = min(MOST_CHANNELS, triton.next_power_of_2(c)) if by_pixel else 1
    tile = TILE // channels
    chunk = tile * triton.cdiv(triton.cdiv(points, tile), MOST_CHUNKS)
    grid = (triton.cdiv(points, chunk), triton.cdiv(c, channels), n)
    sizes = (c, points, c * points, *((c, 1) if by_pixel else (1, points)), chunk)
    return Cut(grid, sizes, {"POINTS": tile, "CHANNELS": channels}, triton.next_power_of_2(grid[0]))


def order(x: Tensor) -> torch.memory_format:
    """Return the order of memory, of the two that the kernels know, in which maps lie or are to be laid."""
    other = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    return torch.channels_last if other else torch.contiguous_format


def wide(x: Tensor) -> torch.dtype:
    """Return the type that maps are computed in."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


# Below, a "tile" is points x channels. ``found`` is 2 x chunks x N x C and ``statistics`` 2 x N x C.


@triton.jit
def _moments(x, found, channels, points, by_n, by_p, by_c, chunk,
             POINTS: tl.constexpr, CHANNELS: tl.constexpr, WIDE: tl.constexpr):  # fmt: skip
    """Write mean and sum of squared distances from it of each chunk (Chan et al. 1979, equation 2.1)."""
    part, n = tl.program_id(0), tl.program_id(2).to(tl.int64)
    c = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    mean, squares = tl.zeros((CHANNELS,), WIDE), tl.zeros((CHANNELS,), WIDE)
    end = tl.minimum(points, (part + 1) * chunk)
    for start in range(part * chunk, end, POINTS):
        p = start + tl.arange(0, POINTS)
        inside = (p < end)[:, None] & (c < channels)[None, :]
        tile = tl.load(x + n * by_n + p[:, None] * by_p + c[None, :] * by_c, mask=inside, other=0.0).to(WIDE)
        seen, count = (start - part * chunk).to(WIDE), tl.minimum(POINTS, end - start).to(WIDE)
        tile_mean = tl.sum(tile, 0) / count
        apart = tl.where(inside, tile - tile_mean[None, :], 0.0)
        step = tile_mean - mean
        mean += step * (count / (seen + count))
        squares += tl.sum(apart * apart, 0) + step * step * (seen * count / (seen + count))
    images = tl.num_programs(2)
    place = (part * images + n) * channels + c
    tl.store(found + place, mean, mask=c < channels)
    tl.store(found + tl.num_programs(0) * images * channels + place, squares, mask=c < channels)


@triton.jit
def _normalise(x, residual, found, statistics, y, channels, points, by_n, by_p, by_c, chunk, eps, slope,
               RESIDUAL: tl.constexpr, POINTS: tl.constexpr, CHANNELS: tl.constexpr, CHUNKS: tl.constexpr,
               WIDE: tl.constexpr):  # fmt: skip
    """Put the moments of all chunks together; write the result of one, and the statistics: mean and 1 / deviation."""
    part, n = tl.program_id(0), tl.program_id(2).to(tl.int64)
    parts, images = tl.num_programs(0), tl.num_programs(2)
    c = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    k = tl.arange(0, CHUNKS)
    known = (k < parts)[:, None] & (c < channels)[None, :]
    place = (k[:, None] * images + n) * channels + c[None, :]
    means = tl.load(found + place, mask=known, other=0.0)
    squares = tl.load(found + parts * images * channels + place, mask=known, other=0.0)
    counts = tl.where(k < parts, tl.minimum(points - k * chunk, chunk), 0).to(WIDE)[:, None]
    mean = tl.sum(counts * means, 0) / points
    apart = means - mean[None, :]
    variance = tl.sum(squares + counts * apart * apart, 0) / points
    factor = 1.0 / tl.sqrt(variance + eps)
    if part == 0:
        tl.store(statistics + n * channels + c, mean, mask=c < channels)
        tl.store(statistics + (images + n) * channels + c, factor, mask=c < channels)
    end = tl.minimum(points, (part + 1) * chunk)
    for start in range(part * chunk, end, POINTS):
        p = start + tl.arange(0, POINTS)
        inside = (p < end)[:, None] & (c < channels)[None, :]
        places = n * by_n + p[:, None] * by_p + c[None, :] * by_c
        normal = (tl.load(x + places, mask=inside, other=0.0).to(WIDE) - mean[None, :]) * factor[None, :]
        out = tl.where(normal > 0, normal, slope * normal)
        if RESIDUAL:
            out += tl.load(residual + places, mask=inside, other=0.0).to(WIDE)
        tl.store(y + places, out.to(y.dtype.element_ty), mask=inside)


@triton.jit
def _gradient_sums(x, grad, statistics, found, channels, points, by_n, by_p, by_c, chunk, slope,
                   POINTS: tl.constexpr, CHANNELS: tl.constexpr, WIDE: tl.constexpr):  # fmt: skip
    """Write for each chunk the sums of the gradient in front of the rectifier, alone and times the normalised image."""
    part, n, images = tl.program_id(0), tl.program_id(2).to(tl.int64), tl.num_programs(2)
    c = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    mean = tl.load(statistics + n * channels + c, mask=c < channels, other=0.0)
    factor = tl.load(statistics + (images + n) * channels + c, mask=c < channels, other=0.0)
    plain, weighted = tl.zeros((CHANNELS,), WIDE), tl.zeros((CHANNELS,), WIDE)
    end = tl.minimum(points, (part + 1) * chunk)
    for start in range(part * chunk, end, POINTS):
        p = start + tl.arange(0, POINTS)
        inside = (p < end)[:, None] & (c < channels)[None, :]
        places = n * by_n + p[:, None] * by_p + c[None, :] * by_c
        normal = (tl.load(x + places, mask=inside, other=0.0).to(WIDE) - mean[None, :]) * factor[None, :]
        tile = tl.load(grad + places, mask=inside, other=0.0).to(WIDE)
        tile = tl.where(normal > 0, tile, slope * tile)
        plain += tl.sum(tile, 0)
        weighted += tl.sum(tile * normal, 0)
    place = (part * images + n) * channels + c
    tl.store(found + place, plain, mask=c < channels)
    tl.store(found + tl.num_programs(0) * images * channels + place, weighted, mask=c < channels)


@triton.jit
def _gradient(x, grad, statistics, found, dx, channels, points, by_n, by_p, by_c, chunk, slope,
              POINTS: tl.constexpr, CHANNELS: tl.constexpr, CHUNKS: tl.constexpr, WIDE: tl.constexpr):  # fmt: skip
    """Write the gradient of the image: that of the normalised one, without its mean and its share along the image."""
    part, n = tl.program_id(0), tl.program_id(2).to(tl.int64)
    parts, images = tl.num_programs(0), tl.num_programs(2)
    c = tl.program_id(1) * CHANNELS + tl.arange(0, CHANNELS)
    k = tl.arange(0, CHUNKS)
    known = (k < parts)[:, None] & (c < channels)[None, :]
    place = (k[:, None] * images + n) * channels + c[None, :]
    plain = tl.sum(tl.load(found + place, mask=known, other=0.0), 0) / points
    weighted = tl.sum(tl.load(found + parts * images * channels + place, mask=known, other=0.0), 0) / points
    mean = tl.load(statistics + n * channels + c, mask=c < channels, other=0.0)
    factor = tl.load(statistics + (images + n) * channels + c, mask=c < channels, other=0.0)
    end = tl.minimum(points, (part + 1) * chunk)
    for start in range(part * chunk, end, POINTS):
        p = start + tl.arange(0, POINTS)
        inside = (p < end)[:, None] & (c < channels)[None, :]
        places = n * by_n + p[:, None] * by_p + c[None, :] * by_c
        normal = (tl.load(x + places, mask=inside, other=0.0).to(WIDE) - mean[None, :]) * factor[None, :]
        tile = tl.load(grad + places, mask=inside, other=0.0).to(WIDE)
        tile = tl.where(normal > 0, tile, slope * tile)
        out = factor[None, :] * (tile - plain[None, :] - normal * weighted[None, :])
        tl.store(dx + places, out.to(dx.dtype.element_ty), mask=inside)
