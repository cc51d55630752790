"""RGB around a network that makes the colours of CIE Lab from its lightness, inside the graph and in float32.

The formulas are those of ``util.color``, which works in float64 and outside of networks. Matrices are written out as
sums, so that no quantization takes them for layers.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from util.color import AB_RANGE, DELTA, L_HALF, TO_XYZ, WHITE

Row = tuple[float, float, float]


class Colorizing(nn.Module):
    """A network from L / 50 - 1 to ab / 110 as one from RGB to RGB, both N x 3 x H x W in [-1, 1]."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.luminance = _row(TO_XYZ[1])
        red, green, blue = np.linalg.inv(TO_XYZ) * WHITE
        self.red, self.green, self.blue = _row(red), _row(green), _row(blue)
        self.l_half, self.ab_range, self.delta = L_HALF, AB_RANGE, DELTA

    def forward(self, image: Tensor) -> Tensor:
        """Colour the lightness of N x 3 x H x W."""
        luminance = _weighted(_linear((image + 1) / 2), self.luminance)
        lightness = 116 * _root(luminance, self.delta) - 16
        color = self.network(lightness / self.l_half - 1) * self.ab_range  # N x 2 x H x W
        y = (lightness + 16) / 116
        x, z = y + color[:, :1] / 500, torch.clamp(y - color[:, 1:] / 200, min=0.0)
        xyz = _cube(torch.cat([x, y, z], 1), self.delta)
        rgb = torch.cat([_weighted(xyz, row) for row in (self.red, self.green, self.blue)], 1)
        return _curved(rgb) * 2 - 1


def _row(values: npt.NDArray[np.float64]) -> Row:
    first, second, third = (float(value) for value in values)
    return first, second, third


def _weighted(x: Tensor, weights: Row) -> Tensor:
    return x[:, 0:1] * weights[0] + x[:, 1:2] * weights[1] + x[:, 2:3] * weights[2]


def _linear(rgb: Tensor) -> Tensor:
    return torch.where(rgb > 0.04045, ((torch.clamp(rgb, min=0.0) + 0.055) / 1.055) ** 2.4, rgb / 12.92)


def _curved(linear: Tensor) -> Tensor:
    bent = 1.055 * torch.clamp(linear, min=1e-6) ** (1 / 2.4) - 0.055
    return torch.clamp(torch.where(linear > 0.0031308, bent, linear * 12.92), 0.0, 1.0)


def _root(t: Tensor, delta: float) -> Tensor:
    bent = torch.clamp(t, min=1e-6) ** (1 / 3)
    return torch.where(t > delta**3, bent, t / (3 * delta**2) + 4 / 29)


def _cube(f: Tensor, delta: float) -> Tensor:
    return torch.where(f > delta, f * f * f, 3 * delta**2 * (f - 4 / 29))
