"""3 x 3 and 4 x 4 convolutions with a quarter of the multiplications (Winograd; Lavin and Gray 2016, section 4).

An image is cut into overlapping tiles of 6 x 6 numbers that yield 4 x 4 outputs each (3 x 3 with 4 x 4 taps). Tiles and
weights are transformed, multiplied point by point, which over channels is one matrix product for each of the 36 points,
and transformed back.

All images are N x C x H x W, fastest in channels_last order. In between, what belongs to a tile lies together
(tiles x points x channels), because rows that are a power of two apart share few places in a cache.
"""

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

TILE = 6  # a side
NEAR, FAR = 0.5**0.5, 2**0.5
POINTS = (0, NEAR, -NEAR, FAR, -FAR)  # where polynomials are evaluated; these round half as much as 0, ±1, ±2


class Rule(NamedTuple):
    """Y = A [(G g G^T) * (B d B^T)] A^T gives the outputs Y of a tile d and a filter g (equation 8)."""

    A: Tensor  # outputs x TILE
    B: Tensor  # TILE x TILE
    G: Tensor  # TILE x taps


def convolve(x: Tensor, weight: Tensor, padding: int = 0) -> Tensor:
    """Return ``F.conv2d(x, weight, padding=padding)``, N x K x H' x W', in the type of ``x``.

    Args:
        x: N x C x H x W.
        weight: K x C x 3 x 3 or K x C x 4 x 4.
    """
    return convolve_points(x, points_of(weight, x.dtype), weight.shape[2], padding)


def input_gradient(grad: Tensor, weight: Tensor, padding: int = 0) -> Tensor:
    """Return the gradient of ``convolve`` by its images, N x C x H x W, from that by its outputs."""
    taps = weight.shape[2]
    points = points_of(weight, grad.dtype, turned=True)
    return convolve_points(grad, points, taps, taps - 1 - padding, back=True)


def weight_gradient(x: Tensor, grad: Tensor, padding: int = 0) -> Tensor:
    """Return the gradient of ``convolve`` by its weights, K x C x taps x taps, in the type of ``x``."""
    taps = x.shape[2] + 2 * padding + 1 - grad.shape[2]
    flat, outputs = _flat_rule(taps, x.dtype), TILE - taps + 1
    tiles, rows, columns = _tiles(x, taps, padding)
    n, k, height, width = grad.shape
    whole = _padded(grad, 0, rows * outputs - height, columns * outputs - width)  # N x H x W x K
    parts = whole.view(n, rows, outputs, columns, outputs, k).transpose(2, 3).reshape(len(tiles), -1, k)
    points, grads = _by_points(flat.B, tiles), _by_points(flat.A.T, parts)
    products = torch.bmm(grads.transpose(1, 2), points)  # 36 x K x C
    return (flat.G.T @ products.view(TILE**2, -1)).view(taps, taps, k, -1).permute(2, 3, 0, 1)


def tiles_for(side: int, taps: int, padding: int) -> int:
    """Return how many tiles cover a side of an image."""
    return math.ceil((side + 2 * padding + 1 - taps) / (TILE - taps + 1))


@functools.cache
def rule(taps: int) -> Rule:
    """Return the transforms that POINTS make, in float64 (Toom and Cook's; the last point is infinity).

    Evaluating two polynomials, multiplying the values and interpolating is a linear convolution; its transpose is the
    filter, whose B follows from A and G.
    """
    outputs = TILE - taps + 1
    A, G = torch.zeros(outputs, TILE, dtype=torch.float64), torch.zeros(TILE, taps, dtype=torch.float64)
    for column, point in enumerate(POINTS):
        others = math.prod(point - other for other in POINTS if other != point)
        powers = torch.tensor([point**power for power in range(TILE)], dtype=torch.float64)
        A[:, column], G[column] = powers[:outputs], powers[:taps] / others
    A[-1, -1] = G[-1, -1] = 1
    taken = torch.stack([A[out] * G[:, tap] for out in range(outputs) for tap in range(taps)])
    wanted = torch.stack(
        [torch.eye(TILE, dtype=torch.float64)[out + tap] for out in range(outputs) for tap in range(taps)]
    )
    return Rule(A, torch.linalg.lstsq(taken, wanted).solution, G)


@functools.cache
def _flat_rule(taps: int, dtype: torch.dtype) -> Rule:
    """Return the transforms of both directions at once, of flattened tiles."""
    return Rule(*(torch.kron(matrix, matrix).to(dtype) for matrix in rule(taps)))


def convolve_points(x: Tensor, filters: Tensor, taps: int, border: int, *, back: bool = False) -> Tensor:
    """Return what ``points_of`` weights, 36 x K x C, make of images with a border of zeros; ``back``: of K channels C.

    Computing these points takes as long as a small image.
    """
    flat, outputs = _flat_rule(taps, x.dtype), TILE - taps + 1
    tiles, rows, columns = _tiles(x, taps, border)
    made = torch.matmul(flat.A, _products(torch.matmul(flat.B, tiles), filters, back=back))
    made = made.view(len(x), rows, columns, outputs, outputs, -1)
    whole = made.transpose(2, 3).reshape(len(x), rows * outputs, columns * outputs, -1).permute(0, 3, 1, 2)
    return whole[:, :, : x.shape[2] + 2 * border + 1 - taps, : x.shape[3] + 2 * border + 1 - taps]


def _products(points: Tensor, filters: Tensor, *, back: bool) -> Tensor:
    """Return tiles, T x 36 x C, times filters, 36 x K x C, point by point: T x 36 x K, or the other way.

    As a convolution of one tap whose groups are the points: oneDNN's is up to twice as fast as MKL's matrix products on
    CPUs of AMD, for which MKL has no AVX-512.
    """
    count = len(points)
    maps = points.view(1, count, 1, -1).permute(0, 3, 1, 2)  # 1 x (36 C) x T x 1
    convolution = F.conv_transpose2d if back else F.conv2d
    made = convolution(maps, filters.flatten(0, 1)[:, :, None, None], groups=TILE**2)
    return made.permute(0, 2, 3, 1).reshape(count, TILE**2, -1)


def _tiles(x: Tensor, taps: int, border: int) -> tuple[Tensor, int, int]:
    """Return tiles, N rows columns x 36 x C, of images with a border of zeros, and the rows and columns of tiles."""
    height, width = x.shape[2:]
    outputs = TILE - taps + 1
    rows, columns = (tiles_for(side, taps, border) for side in (height, width))
    below, right = (count * outputs + taps - 1 - border - side for count, side in ((rows, height), (columns, width)))
    x = _padded(x, border, below, right)
    tiles = x.unfold(1, TILE, outputs).unfold(2, TILE, outputs)  # N x rows x columns x C x 6 x 6
    return tiles.permute(0, 1, 2, 4, 5, 3).reshape(-1, TILE**2, x.shape[3]), rows, columns


def _padded(x: Tensor, before: int, below: int, right: int) -> Tensor:
    """Return N x H x W x C with zeros around."""
    x = x.permute(0, 2, 3, 1)
    return F.pad(x, (0, 0, before, right, before, below)) if before or below or right else x.contiguous()


def points_of(weight: Tensor, dtype: torch.dtype, *, turned: bool = False) -> Tensor:
    """Return weights at the 36 points, 36 x K x C; ``turned`` by half a circle."""
    matrix = _flat_rule(weight.shape[2], dtype).G
    taps = weight.to(dtype).permute(0, 2, 3, 1).flatten(1, 2)  # K x taps x C
    matrix = (matrix.flip(1) if turned else matrix).expand(len(taps), -1, -1)
    out = taps.new_empty(TILE**2, len(taps), taps.shape[2])
    torch.bmm(matrix, taps, out=out.transpose(0, 1))
    return out


def _by_points(matrix: Tensor, tiles: Tensor) -> Tensor:
    """Return tiles, T x P x C, multiplied from the left by a matrix, 36 x P, as 36 x T x C.

    In bfloat16 they also lie in that order in memory, or the product over all tiles would take twice as long.
    """
    if tiles.dtype != torch.bfloat16:
        return torch.matmul(matrix, tiles).transpose(0, 1)
    out = tiles.new_empty(len(matrix), len(tiles), tiles.shape[2])
    torch.bmm(matrix.expand(len(tiles), -1, -1), tiles, out=out.transpose(0, 1))
    return out
