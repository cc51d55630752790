"""Where an image is scaled, cut and mirrored."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from data.transforms import Geometry, cut, draw_geometry, scaled_size
from options.errors import UserError
from options.schema import DataOptions
from tests.images import an_image
from util.raster.values import units

CROPPING = ("resize_and_crop", "crop", "scale_width_and_crop", "scale_shortside_and_crop", "pad_and_crop")
WHOLE = ("scale_width", "none", "scale_shortside", "keep")


def options(preprocess: Any, load_size: int = 36, crop_size: int = 32, *, no_flip: bool = False) -> DataOptions:
    return DataOptions(preprocess=preprocess, load_size=load_size, crop_size=crop_size, no_flip=no_flip)


def geometries(opt: DataOptions, size: tuple[int, int], count: int = 600) -> list[Geometry]:
    return [draw_geometry(scaled_size(size, opt), opt, np.random.default_rng(seed)) for seed in range(count)]


def levels(image: Image.Image) -> Tensor:
    """C x H x W, uint8."""
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def as_array(pixels: Tensor) -> np.ndarray:
    return pixels.permute(1, 2, 0).numpy()


@pytest.mark.parametrize("preprocess", CROPPING)
def test_every_crop_is_reached_and_none_leaves_the_image(preprocess: str) -> None:
    found = geometries(options(preprocess, 36, 33), (36, 35))
    width, height = scaled_size((36, 35), options(preprocess, 36, 33))
    crops = {g.crop for g in found}
    assert crops == {(x, y, 33) for x in range(width - 33 + 1) for y in range(height - 33 + 1)}


@pytest.mark.parametrize("preprocess", [*CROPPING, *WHOLE])
def test_about_half_of_the_images_are_mirrored(preprocess: str) -> None:
    count = Counter(g.mirrored for g in geometries(options(preprocess), (40, 36)))
    assert 240 < count[True] < 360  # 5 standard deviations around 300 of 600
    assert not any(g.mirrored for g in geometries(options(preprocess, no_flip=True), (40, 36)))


@pytest.mark.parametrize(("preprocess", "size"), [*((mode, (50, 47)) for mode in WHOLE), ("crop", (32, 32))])
def test_without_a_crop_or_in_its_size_an_image_stays_whole(preprocess: str, size: tuple[int, int]) -> None:
    assert {g.crop for g in geometries(options(preprocess), size, 20)} == {None}


SCALED: dict[tuple[str, ...], list[tuple[tuple[int, int], tuple[int, int]]]] = {  # modes: sizes before and after
    ("scale_width", "scale_width_and_crop"): [
        ((50, 100), (36, 72)),
        ((50, 45), (36, 32)),
        ((100, 50), (36, 32)),  # too low: stretched to the crop's height
        ((36, 50), (36, 50)),  # the width is right and it is high enough: untouched
        ((36, 20), (36, 32)),
        ((10, 13), (36, 46)),  # rounded down
    ],
    ("scale_shortside", "scale_shortside_and_crop"): [
        ((100, 50), (72, 36)),
        ((50, 100), (36, 72)),
        ((36, 36), (36, 36)),
        ((3, 900), (36, 10800)),
    ],
    ("resize_and_crop",): [((100, 7), (36, 36))],
    ("crop", "keep", "pad_and_crop"): [(size, size) for size in ((100, 7), (41, 37), (5, 300), (1, 1))],
}


@pytest.mark.parametrize(
    ("preprocess", "size", "expected"),
    [(mode, size, scaled) for modes, sizes in SCALED.items() for mode in modes for size, scaled in sizes],
)
def test_each_mode_scales_to_its_size(preprocess: str, size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert scaled_size(size, options(preprocess)) == expected


@pytest.mark.parametrize("size", [(40, 36), (41, 37), (42, 38), (43, 39), (5, 3), (1, 1), (6, 10)])
def test_none_rounds_each_side_to_a_multiple_of_four(size: tuple[int, int]) -> None:
    for side, scaled in zip(size, scaled_size(size, options("none")), strict=True):
        assert scaled % 4 == 0
        assert scaled >= 4
        assert abs(scaled - side) <= 2 or side < 4


@pytest.mark.parametrize("size", [(31, 40), (40, 31), (20, 20), (5, 7), (1, 1), (33, 2), (32, 32)])
def test_what_is_smaller_than_the_crop_is_reflected(size: tuple[int, int]) -> None:
    opt = options("pad_and_crop", no_flip=True)
    image = an_image(3, size)
    for seed in range(20):
        geometry = draw_geometry(size, opt, np.random.default_rng(seed))
        got = as_array(cut(levels(image), geometry))
        (left, right), (top, bottom) = (
            (max(0, 32 - side) // 2, max(0, 32 - side) - max(0, 32 - side) // 2) for side in size
        )
        whole = np.pad(np.array(image), ((top, bottom), (left, right), (0, 0)), mode="reflect")
        x, y, _ = geometry.crop or (0, 0, 32)
        np.testing.assert_array_equal(got, whole[y : y + 32, x : x + 32])
        assert got.shape == (32, 32, 3)


@pytest.mark.parametrize("size", [(31, 40), (40, 31), (20, 20)])
def test_a_crop_larger_than_the_image_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UserError, match=f"is {size[0]}x{size[1]} pixels.*smaller than --crop_size 32; lower --crop"):
        draw_geometry(size, options("crop"), np.random.default_rng(0))


@pytest.mark.parametrize(("size", "shape"), [((31, 40), (32, 32)), ((40, 20), (32, 32)), ((20, 21), (21, 20))])
def test_pairs_smaller_than_the_crop_are_padded_or_left_as_officially(
    size: tuple[int, int], shape: tuple[int, int]
) -> None:
    geometry = draw_geometry(size, options("crop", no_flip=True), np.random.default_rng(0), padded=True)
    out = units(cut(levels(Image.new("RGB", size, "white")), geometry))
    assert tuple(out.shape[1:]) == shape
    if size[0] < 32 < max(size):
        assert (out[:, :, size[0] :] == -1).all()


def test_a_geometry_says_which_pixels_come_out() -> None:
    image = an_image(0)
    pixels = np.array(image)
    kept = cut(levels(image), Geometry(image.size, (5, 3, 20), mirrored=False))
    np.testing.assert_array_equal(as_array(kept), pixels[3:23, 5:25])
    mirrored = cut(levels(image), Geometry(image.size, (5, 3, 20), mirrored=True))
    np.testing.assert_array_equal(as_array(mirrored), pixels[3:23, 5:25][:, ::-1])
