"""Values of files to [-1, 1] and back, without loss for integers."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

from options.errors import UserError
from util.raster.values import from_pixels, to_pixels, units


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
def test_every_integer_of_16_bits_survives(dtype: str) -> None:
    info = np.iinfo(dtype)
    values: npt.NDArray[Any] = np.arange(info.min, info.max + 1).astype(dtype).reshape(-1, 16, 1)
    pixels = to_pixels(values, None)
    assert units(pixels).dtype == torch.float32
    assert (float(units(pixels).min()), float(units(pixels).max())) == (-1, 1)
    np.testing.assert_array_equal(from_pixels(pixels, dtype, None), values)


@pytest.mark.parametrize("limits", [(0.0, 4095.0), (-500.0, 9000.0), (0.0, 2.0**23)])
@pytest.mark.parametrize("dtype", ["int32", "float32"])
def test_a_range_of_ones_own_survives_too(limits: tuple[float, float], dtype: str) -> None:
    low, high = limits
    values: npt.NDArray[Any] = np.unique(np.linspace(low, high, 10_000).round()).astype(dtype).reshape(1, -1, 1)
    pixels = to_pixels(values, limits)
    assert (float(pixels.min()), float(pixels.max())) == (-1, 1)
    np.testing.assert_array_equal(from_pixels(pixels, np.int32, limits), values)


def test_8_bit_images_stay_levels_unless_the_range_is_another() -> None:
    values = np.array([[[0], [51]]], np.uint8)
    assert to_pixels(values, None).dtype == torch.uint8
    assert to_pixels(values, (0, 255)).dtype == torch.uint8
    assert to_pixels(values, (0, 51)).flatten().tolist() == [-1, 1]


def test_levels_become_units_as_officially() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    torch.testing.assert_close(units(levels), (levels.float() / 255 - 0.5) / 0.5, rtol=0, atol=0)
    assert levels.tolist() == list(range(256))


def test_reading_does_not_change_what_was_read() -> None:
    values = np.full((2, 2, 1), 0.5, np.float32)
    to_pixels(values, (0, 2))
    assert (values == 0.5).all()


@pytest.mark.parametrize(
    ("values", "limits", "words"),
    [
        (
            np.array([[[0.5], [1.5]]], np.float32),
            None,
            "holds values from 0.5 to 1.5, outside 0 to 1; pass --value_range LOW,HIGH",
        ),
        (np.array([[[-0.1]]], np.float32), None, "outside 0 to 1"),
        (np.array([[[np.nan]]], np.float32), None, "no numbers"),
        (np.array([[[np.inf]]], np.float32), (0.0, 1.0), "no numbers"),
        (np.array([[[5000]]], np.uint16), (0.0, 4095.0), "outside 0 to 4095"),
        (np.array([[[1]]], np.int32), None, "holds int32 numbers, whose range says nothing; pass --value_range"),
    ],
)
def test_what_does_not_fit_is_refused(values: npt.NDArray[Any], limits: tuple[float, float] | None, words: str) -> None:
    with pytest.raises(UserError, match=words):
        to_pixels(values, limits)


def test_what_a_network_makes_is_cut_to_the_range() -> None:
    pixels = torch.tensor([-3.0, 0, 3.0]).view(1, 1, 3)
    assert from_pixels(pixels, np.uint16, (0, 4095)).flatten().tolist() == [0, 2048, 4095]
