"""The ways to 299 pixels beside the programs whose rules they are."""

import numpy as np
import pytest
import torch
from torch import Tensor

from metrics.resize import resized_for_inception

SIZES = [(400, 340), (299, 299), (70, 310), (64, 64), (1, 1)]


def an_image(size: tuple[int, int]) -> Tensor:
    """Levels of two images, of shape N x 3 x H x W."""
    width, height = size
    return torch.from_numpy(np.random.RandomState(0).randint(0, 256, (2, 3, height, width), dtype=np.uint8))


@pytest.mark.parametrize("size", SIZES)
def test_clean_is_the_rule_of_clean_fid(size: tuple[int, int]) -> None:
    reference = pytest.importorskip("cleanfid.resize").build_resizer("clean")
    images = an_image(size)
    theirs = np.stack([reference(image.permute(1, 2, 0).numpy()) for image in images]).transpose(0, 3, 1, 2)
    ours = resized_for_inception(images, "clean")
    assert np.array_equal(ours.numpy(), (theirs - 128) / 128)


@pytest.mark.parametrize("size", SIZES)
def test_legacy_pytorch_is_the_rule_of_pytorch_fid(size: tuple[int, int]) -> None:
    images = an_image(size)
    unit = torch.stack([image.float() / 255 for image in images])  # as torchvision's ToTensor does
    theirs = 2 * torch.nn.functional.interpolate(unit, size=(299, 299), mode="bilinear", align_corners=False) - 1
    assert torch.equal(resized_for_inception(images, "legacy_pytorch"), theirs)


@pytest.mark.parametrize("size", SIZES)
def test_legacy_tensorflow_is_the_rule_of_torch_fidelity(size: tuple[int, int]) -> None:
    reference = pytest.importorskip("torch_fidelity.interpolate_compat_tensorflow")
    images = an_image(size)
    resize = reference.interpolate_bilinear_2d_like_tensorflow1x
    theirs = (resize(images.float(), size=(299, 299), align_corners=False) - 128) / 128
    torch.testing.assert_close(resized_for_inception(images, "legacy_tensorflow"), theirs, rtol=0, atol=1e-5)


def test_shrinking_averages_in_clean_mode_alone() -> None:
    stripes = torch.zeros(1, 3, 598, 598, dtype=torch.uint8)
    stripes[..., 1::2] = 255  # each second column: half gray from afar
    spread = {mode: float(resized_for_inception(stripes, mode).std()) for mode in ("clean", "legacy_tensorflow")}
    assert spread["clean"] < 0.05
    assert float(resized_for_inception(stripes, "legacy_tensorflow").mean()) == pytest.approx(-1)  # all white is lost
