"""3 x 3 convolutions with a quarter of the multiplications (Winograd's filtering; Lavin and Gray 2016, section 4).

An image is cut into overlapping tiles of 6 x 6 numbers that yield 4 x 4 outputs each. Tiles and weights are
transformed, multiplied point by point, which over channels is one matrix product for each of the 36 points, and
transformed back.

All images are N x C x H x W, fastest in channels_last order.
"""

import functools
import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

OUTPUTS = 4  # a side of a tile
TILE = OUTPUTS + 2
NEAR, FAR = 0.5**0.5, 2**0.5
POINTS = (0, NEAR, -NEAR, FAR, -FAR)  # where polynomials are evaluated; these round half as much as 0, ±1, ±2


class Rule(NamedTuple):
    """Y = A [(G g G^T) * (B d B^T)] A^T gives the outputs Y of a tile d and a filter g (equation 8)."""

    A: Tensor  # OUTPUTS x TILE
    B: Tensor  # TILE x TILE
    G: Tensor  # TILE x 3


def convolve(x: Tensor, weight: Tensor) -> Tensor:
    """Return ``F.conv2d(x, weight)`` without padding, N x K x (H - 2) x (W - 2), in the type of ``x``.

    Args:
        x: N x C x H x W.
        weight: K x C x 3 x 3.
    """
    height, width = x.shape[2] - 2, x.shape[3] - 2
    points, rows, columns = _transformed(x)
    products = torch.bmm(points, _filters(weight, x.dtype).transpose(1, 2))  # 36 x tiles x K
    return _back(products, rows, columns)[:, :, :height, :width]


def input_gradient(grad: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient of ``convolve`` by its images, N x C x H x W, from that by its outputs."""
    height, width = grad.shape[2] + 2, grad.shape[3] + 2
    points, rows, columns = _transformed(grad, border=2)
    products = torch.bmm(points, _filters(weight, grad.dtype, turned=True))  # 36 x tiles x C
    return _back(products, rows, columns)[:, :, :height, :width]


def weight_gradient(x: Tensor, grad: Tensor) -> Tensor:
    """Return the gradient of ``convolve`` by its weights, K x C x 3 x 3 in at least float32."""
    n, k, height, width = grad.shape
    points, rows, columns = _transformed(x)
    whole = _padded(grad, 0, rows * OUTPUTS - height, columns * OUTPUTS - width)  # N x H x W x K
    parts = whole.view(n, rows, OUTPUTS, columns, OUTPUTS, k).permute(2, 4, 0, 1, 3, 5).reshape(OUTPUTS**2, -1)
    grads = (_flat_rule(grad.dtype).A.T @ parts).view(TILE**2, -1, k)  # 36 x tiles x K
    products = torch.bmm(grads.transpose(1, 2), points)  # 36 x K x C
    products = products if products.dtype == torch.float64 else products.float()
    found = _flat_rule(products.dtype).G.T @ products.view(TILE**2, -1)
    return found.view(3, 3, k, -1).permute(2, 3, 0, 1)


@functools.cache
def rule() -> Rule:
    """Return the transforms that POINTS make, in float64 (Toom and Cook's; the last point is infinity).

    Evaluating two polynomials, multiplying the values and interpolating is a linear convolution; its transpose is the
    filter, whose B follows from A and G.
    """
    A, G = torch.zeros(OUTPUTS, TILE, dtype=torch.float64), torch.zeros(TILE, 3, dtype=torch.float64)
    for column, point in enumerate(POINTS):
        others = math.prod(point - other for other in POINTS if other != point)
        powers = torch.tensor([point**power for power in range(OUTPUTS)], dtype=torch.float64)
        A[:, column], G[column] = powers, powers[:3] / others
    A[-1, -1] = G[-1, -1] = 1
    taken = torch.stack([A[out] * G[:, tap] for out in range(OUTPUTS) for tap in range(3)])
    wanted = torch.stack(
        [torch.eye(TILE, dtype=torch.float64)[out + tap] for out in range(OUTPUTS) for tap in range(3)]
    )
    return Rule(A, torch.linalg.lstsq(taken, wanted).solution, G)


@functools.cache
def _flat_rule(dtype: torch.dtype) -> Rule:
    """Return the transforms of both directions at once, of flattened tiles."""
    return Rule(*(torch.kron(matrix, matrix).to(dtype) for matrix in rule()))


def _transformed(x: Tensor, border: int = 0) -> tuple[Tensor, int, int]:
    """Return the tiles' points, 36 x tiles x C, and the rows and columns of tiles; with a border of zeros."""
    height, width = x.shape[2:]
    rows, columns = (math.ceil((side + 2 * border - 2) / OUTPUTS) for side in (height, width))
    x = _padded(x, border, rows * OUTPUTS + 2 - border - height, columns * OUTPUTS + 2 - border - width)
    tiles = x.unfold(1, TILE, OUTPUTS).unfold(2, TILE, OUTPUTS)  # N x rows x columns x C x 6 x 6
    points = _flat_rule(x.dtype).B @ tiles.permute(4, 5, 0, 1, 2, 3).reshape(TILE**2, -1)
    return points.view(TILE**2, -1, x.shape[3]), rows, columns


def _padded(x: Tensor, before: int, below: int, right: int) -> Tensor:
    """Return N x H x W x C with zeros around."""
    x = x.permute(0, 2, 3, 1)
    return F.pad(x, (0, 0, before, right, before, below)) if before or below or right else x.contiguous()


def _filters(weight: Tensor, dtype: torch.dtype, *, turned: bool = False) -> Tensor:
    """Return the weights' points, 36 x K x C; ``turned`` by half a circle."""
    matrix = _flat_rule(dtype).G
    points = (matrix.flip(1) if turned else matrix) @ weight.to(dtype).permute(2, 3, 0, 1).reshape(9, -1)
    return points.view(TILE**2, *weight.shape[:2])


def _back(products: Tensor, rows: int, columns: int) -> Tensor:
    """Return the tiles' outputs side by side, N x C x 4 rows x 4 columns, in channels_last order."""
    channels = products.shape[2]
    out = _flat_rule(products.dtype).A @ products.view(TILE**2, -1)
    tiles = out.view(OUTPUTS, OUTPUTS, -1, rows, columns, channels).permute(2, 3, 0, 4, 1, 5)
    return tiles.reshape(-1, rows * OUTPUTS, columns * OUTPUTS, channels).permute(0, 3, 1, 2)
