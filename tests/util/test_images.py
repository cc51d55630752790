"""Tensors to 8-bit images: rounded, right way round, whole files."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from util.images import as_rgb, save_image, to_uint8


@pytest.mark.parametrize(
    ("value", "level"), [(-1.0, 0), (1.0, 255), (0.0, 128), (-2.0, 0), (7.0, 255), (0.999, 255), (-0.998, 0)]
)
def test_levels_are_rounded_to_the_nearest_and_clipped(value: float, level: int) -> None:
    assert to_uint8(torch.full((1, 3, 2, 2), value)).flatten().tolist() == [level] * 12


def test_all_256_levels_survive_the_way_to_a_tensor_and_back() -> None:
    levels = torch.arange(256).view(1, 1, 16, 16)
    tensor = levels.float().div(255).sub(0.5).div(0.5)  # as a data set does
    assert (to_uint8(tensor) == levels[0, 0].numpy()).all()


def test_half_precision_that_needs_gradients_survives_as_well() -> None:
    levels = torch.tensor([0, 51, 102, 153, 204, 255]).view(1, 1, 1, 6)
    tensor = (levels / 127.5 - 1).half().requires_grad_()
    assert np.abs(to_uint8(tensor).astype(int) - levels[0, 0].numpy()).max() <= 1


def test_an_image_is_the_first_of_the_batch_with_channels_last() -> None:
    images = torch.full((2, 3, 4, 6), -1.0)
    images[0, 0] = 1  # red
    image = to_uint8(images)
    assert image.shape == (4, 6, 3)
    assert image.dtype == np.uint8
    assert image[0, 0].tolist() == [255, 0, 0]


def test_gray_keeps_its_one_channel_until_it_is_asked_for_colour() -> None:
    image = to_uint8(torch.zeros(1, 1, 4, 6))
    assert image.shape == (4, 6)
    assert as_rgb(image).shape == (4, 6, 3)
    assert (as_rgb(image) == 128).all()
    colour = np.zeros((4, 6, 3), np.uint8)
    assert as_rgb(colour) is colour


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_a_file_is_the_right_way_round_and_alone(channels: int, mode: str, tmp_path: Path) -> None:
    images = torch.full((1, channels, 4, 10), -1.0)
    images[:, :, 0, 9] = 1  # top right
    save_image(to_uint8(images), tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as saved:
        assert saved.format == "PNG"
        assert saved.mode == mode
        assert saved.size == (10, 4)
        assert np.asarray(saved)[0, 9].tolist() in (255, [255, 255, 255])
        assert np.asarray(saved).sum() == 255 * channels
    assert [path.name for path in tmp_path.iterdir()] == ["image.png"]
