"""sRGB to CIE Lab and back (IEC 61966-2-1; CIE 15, D65 white, 2 degree observer), in float64."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

L_HALF = 50.0  # L is in [0, 100]; networks see L / 50 - 1
AB_RANGE = 110.0  # networks see a / 110 and b / 110

TO_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_TO_RGB = np.linalg.inv(TO_XYZ)
WHITE = np.array([0.95047, 1.0, 1.08883])
DELTA = 6 / 29  # where the cube root goes over into a line


def rgb_to_lab(rgb: Floats) -> Floats:
    """Convert H x W x 3 in [0, 1] to L in [0, 100], a and b in about [-110, 110]."""
    linear = np.where(rgb > 0.04045, ((rgb + 0.055) / 1.055) ** 2.4, rgb / 12.92)
    t = linear @ TO_XYZ.T / WHITE
    f = np.where(t > DELTA**3, np.cbrt(t), t / (3 * DELTA**2) + 4 / 29)
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def lab_to_rgb(lab: Floats) -> Floats:
    """Convert H x W x 3 Lab to [0, 1]; colours outside sRGB are clipped."""
    y = (lab[..., 0] + 16) / 116
    f = np.stack([y + lab[..., 1] / 500, y, np.maximum(y - lab[..., 2] / 200, 0)], axis=-1)
    t = np.where(f > DELTA, f**3, 3 * DELTA**2 * (f - 4 / 29))
    linear = t * WHITE @ _TO_RGB.T
    curved = 1.055 * np.maximum(linear, 0) ** (1 / 2.4) - 0.055
    clipped: Floats = np.clip(np.where(linear > 0.0031308, curved, linear * 12.92), 0, 1)
    return clipped
