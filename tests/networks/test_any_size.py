"""Images of any size through every generator: the output has the input's size."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from networks.any_size import cut, padded
from networks.factory import build_generator
from options.schema import NetOptions
from util.reflection import reflection


def image(height: int, width: int) -> Tensor:
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize("length", [1, 2, 3, 7, 32])
@pytest.mark.parametrize("extra", [0, 1, 2, 5, 31, 100])
def test_a_reflection_is_that_of_numpy(length: int, extra: int) -> None:
    wanted = np.pad(np.arange(length), (extra // 2, extra - extra // 2), mode="reflect")
    assert reflection(length, length + extra).tolist() == wanted.tolist()


@pytest.mark.parametrize(("height", "width"), [(32, 64), (33, 20), (1, 1), (31, 95)])
def test_what_was_padded_is_cut_back(height: int, width: int) -> None:
    x = image(height, width)
    larger = padded(x, 32)
    assert larger.shape[2] % 32 == larger.shape[3] % 32 == 0
    assert larger.shape[2] - height < 32
    assert torch.equal(cut(larger, x), x)


def test_an_image_that_fits_is_not_touched() -> None:
    x = image(32, 64)
    assert padded(x, 32) is x


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize(
    "name",
    ["unet_32", "encdec_32", "resnet_1blocks", "johnson_1blocks", "johnson_3blocks", "adalin_1blocks"],
)
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (10, 13), (33, 64), (100, 41)])
def test_the_output_has_the_size_of_the_input(name: str, size: tuple[int, int], upsampling: Any) -> None:
    net = build_generator(NetOptions(netG=name, ngf=2, no_dropout=True, upsampling=upsampling), 3, 1)
    x = image(*size).requires_grad_()
    y = net(x)
    assert y.shape == (2, 1, *size)
    y.square().sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert (x.grad != 0).any()


def test_a_unet_sees_an_odd_image_with_its_surroundings_reflected() -> None:
    net = build_generator(NetOptions(netG="unet_32", ngf=2, no_dropout=True), 3, 3)
    x = image(20, 30)
    surrounded = torch.from_numpy(np.pad(x.numpy(), ((0, 0), (0, 0), (6, 6), (1, 1)), mode="reflect"))
    assert torch.equal(net(x), net(surrounded)[:, :, 6:26, 1:31])
