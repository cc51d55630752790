"""Preprocessing gives the pixels of the official code, and of torchvision."""

import numpy as np
import pytest
import torch
from PIL import Image

from data.transforms import Geometry, scaled_size, to_tensor
from options.schema import DataOptions
from tests.recorded import golden

CASES = golden("transforms")


def recorded_image(seed: int, width: int, height: int) -> Image.Image:
    """The picture the numbers were recorded on; a smaller one was drawn before it and not used."""
    random = np.random.RandomState(seed)
    random.randint(0, 256, (height // 8, width // 8, 3))
    return Image.fromarray(random.randint(0, 256, (height, width, 3)).astype(np.uint8))


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['preprocess']}-{c['width']}x{c['height']}-{c['seed']}")
def test_pixels_equal_the_official_ones(case: dict) -> None:
    opt = DataOptions(preprocess=case["preprocess"], load_size=case["load_size"], crop_size=case["crop_size"])
    image = recorded_image(case["seed"], case["width"], case["height"])
    crop = (*case["crop_pos"], opt.crop_size) if "crop" in opt.preprocess else None
    out = to_tensor(
        image,
        Geometry(scaled_size(image.size, opt), scaled_size(image.size, opt), crop, case["flip"]),
        case["channels"],
    )
    assert list(out.shape) == case["out_shape"]
    np.testing.assert_allclose(out.flatten()[case["pick_index"]], case["pick"], atol=1 / 255)
    assert out.mean().item() == pytest.approx(case["mean"], abs=1e-5)
    assert out.std().item() == pytest.approx(case["std"], abs=1e-5)


@pytest.mark.parametrize("mirrored", [False, True])
def test_pixels_equal_torchvision(mirrored: bool) -> None:
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional as F

    image = recorded_image(1, 90, 60)
    expected = F.resize(image, [48, 48], v2.InterpolationMode.BICUBIC)
    expected = F.crop(expected, 5, 3, 32, 32)
    expected = F.horizontal_flip(expected) if mirrored else expected
    expected = F.normalize(F.to_dtype(F.to_image(expected), torch.float32, scale=True), [0.5] * 3, [0.5] * 3)
    torch.testing.assert_close(to_tensor(image, Geometry((48, 48), (48, 48), (3, 5, 32), mirrored), 3), expected)
