"""sRGB to CIE Lab: published values, and there and back."""

import numpy as np
import pytest

from util.color import lab_to_rgb, rgb_to_lab

# 8-bit sRGB -> L, a, b under D65, 2 degrees (Lindbloom's CIE calculator)
KNOWN = {
    "red": ((255, 0, 0), (53.2408, 80.0925, 67.2032)),
    "green": ((0, 255, 0), (87.7347, -86.1827, 83.1793)),
    "blue": ((0, 0, 255), (32.2970, 79.1875, -107.8602)),
    "white": ((255, 255, 255), (100.0, 0.0, 0.0)),
    "black": ((0, 0, 0), (0.0, 0.0, 0.0)),
    "middle gray": ((119, 119, 119), (50.034, 0.0, 0.0)),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_colours_have_their_published_values(name: str) -> None:
    rgb, lab = KNOWN[name]
    np.testing.assert_allclose(rgb_to_lab(np.array([[rgb]]) / 255)[0, 0], lab, atol=0.02)


def test_colours_come_back() -> None:
    rgb = np.random.RandomState(0).uniform(0, 1, (64, 64, 3))
    np.testing.assert_allclose(lab_to_rgb(rgb_to_lab(rgb)), rgb, atol=1e-6)


@pytest.mark.parametrize("level", [0.0, 0.003, 0.04, 0.0405, 0.5, 1.0])  # both sides of the curve's bends
def test_grays_have_no_colour_and_come_back(level: float) -> None:
    gray = np.full((1, 1, 3), level)
    lab = rgb_to_lab(gray)
    np.testing.assert_allclose(lab[..., 1:], 0, atol=0.01)
    np.testing.assert_allclose(lab_to_rgb(lab), gray, atol=1e-5)
    assert rgb_to_lab(gray + 0.01)[0, 0, 0] > lab[0, 0, 0], "lightness grows with gray"


def test_every_colour_of_a_screen_fits_the_scale_of_the_networks() -> None:
    corners = np.stack(np.meshgrid(*[np.linspace(0, 1, 18)] * 3), axis=-1).reshape(-1, 1, 3)
    lab = rgb_to_lab(corners)
    assert lab[..., 0].min() >= -1e-9
    assert lab[..., 0].max() <= 100 + 1e-3
    assert np.abs(lab[..., 1:]).max() < 110


@pytest.mark.parametrize("lab", [(50.0, 200.0, 0.0), (100.0, -110.0, 110.0), (0.0, 110.0, -110.0), (5.0, 0.0, 110.0)])
def test_colours_that_no_screen_shows_are_clipped(lab: tuple[float, ...]) -> None:
    rgb = lab_to_rgb(np.array([[lab]]))
    assert np.isfinite(rgb).all()
    assert rgb.min() >= 0
    assert rgb.max() <= 1
