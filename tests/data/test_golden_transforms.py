"""Preprocessing gives the pixels of the official code, which works on Pillow images, within one level of 255."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.domain import Domain
from data.transforms import Geometry, cut
from options.schema import DataOptions
from tests.recorded import golden
from util.raster.kinds import Raster
from util.raster.values import units

CASES = golden("transforms")
LEVEL = 2 / 255


def recorded_image(seed: int, width: int, height: int) -> Image.Image:
    """The image the numbers were recorded on; a smaller one was drawn before it and not used."""
    random = np.random.RandomState(seed)
    random.randint(0, 256, (height // 8, width // 8, 3))
    return Image.fromarray(random.randint(0, 256, (height, width, 3)).astype(np.uint8))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['preprocess']}-{c['width']}x{c['height']}-{c['seed']}")
def test_pixels_equal_the_official_ones(case: dict[str, Any]) -> None:
    opt = DataOptions(preprocess=case["preprocess"], load_size=case["load_size"], crop_size=case["crop_size"])
    image = recorded_image(case["seed"], case["width"], case["height"])
    crop = (*case["crop_pos"], opt.crop_size) if "crop" in opt.preprocess else None
    domain = Domain("A", (case["channels"],), None, opt)
    pixels = domain.scaled_image([Raster(np.array(image), "rgb")], ["image.png"])
    out = units(cut(pixels, Geometry((pixels.shape[2], pixels.shape[1]), crop, case["flip"])))
    assert list(out.shape) == case["out_shape"]
    np.testing.assert_allclose(out.flatten()[case["pick_index"]], case["pick"], atol=1.01 * LEVEL)
    assert out.mean().item() == pytest.approx(case["mean"], abs=0.01 * LEVEL)
    assert out.std().item() == pytest.approx(case["std"], abs=0.01 * LEVEL)
