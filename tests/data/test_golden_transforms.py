"""Preprocessing gives the pixels of the official code, and of torchvision on Pillow images, within one level of 255."""

import numpy as np
import pytest
import torch
from PIL import Image

from data.domain import Domain
from data.transforms import Geometry, cut
from options.schema import DataOptions
from tests.recorded import golden
from util.raster.reading import Raster
from util.raster.values import units

CASES = golden("transforms")
LEVEL = 2 / 255


def recorded_image(seed: int, width: int, height: int) -> Image.Image:
    """The image the numbers were recorded on; a smaller one was drawn before it and not used."""
    random = np.random.RandomState(seed)
    random.randint(0, 256, (height // 8, width // 8, 3))
    return Image.fromarray(random.randint(0, 256, (height, width, 3)).astype(np.uint8))


def preprocessed(
    image: Image.Image, opt: DataOptions, channels: int, crop: tuple[int, int, int] | None, *, mirrored: bool
) -> torch.Tensor:
    domain = Domain("A", (channels,), None, opt)
    pixels = domain.scaled(domain.pixels([Raster(np.array(image), "rgb")], ["image.png"]))
    return units(cut(pixels, Geometry((pixels.shape[2], pixels.shape[1]), crop, mirrored)))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['preprocess']}-{c['width']}x{c['height']}-{c['seed']}")
def test_pixels_equal_the_official_ones(case: dict) -> None:
    opt = DataOptions(preprocess=case["preprocess"], load_size=case["load_size"], crop_size=case["crop_size"])
    image = recorded_image(case["seed"], case["width"], case["height"])
    crop = (*case["crop_pos"], opt.crop_size) if "crop" in opt.preprocess else None
    out = preprocessed(image, opt, case["channels"], crop, mirrored=case["flip"])
    assert list(out.shape) == case["out_shape"]
    np.testing.assert_allclose(out.flatten()[case["pick_index"]], case["pick"], atol=1.01 * LEVEL)
    assert out.mean().item() == pytest.approx(case["mean"], abs=0.01 * LEVEL)
    assert out.std().item() == pytest.approx(case["std"], abs=0.01 * LEVEL)


@pytest.mark.parametrize("mirrored", [False, True])
def test_pixels_equal_torchvision(mirrored: bool) -> None:
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional as F

    image = recorded_image(1, 90, 60)
    expected = F.resize(image, [48, 48], v2.InterpolationMode.BICUBIC)
    expected = F.crop(expected, 5, 3, 32, 32)
    expected = F.horizontal_flip(expected) if mirrored else expected
    expected = F.normalize(F.to_dtype(F.to_image(expected), torch.float32, scale=True), [0.5] * 3, [0.5] * 3)
    opt = DataOptions(load_size=48, crop_size=32)
    off = (preprocessed(image, opt, 3, (3, 5, 32), mirrored=mirrored) - expected).abs()
    assert off.max() <= 1.01 * LEVEL
    assert (off > 0.5 * LEVEL).float().mean() < 0.01
