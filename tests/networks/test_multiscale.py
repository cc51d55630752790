"""Several discriminators: what each sees, and how small an image may be."""

from typing import Any

import pytest
import torch

from networks.compute import together
from networks.factory import build_discriminator, smallest_input
from networks.multiscale import halved, scales
from networks.receptive_field import receptive_fields
from options.schema import NetOptions
from tests.recorded import images


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (5, 2)])
def test_a_halved_image_is_the_mean_of_those_of_nine_neighbours_that_exist(size: tuple[int, int]) -> None:
    x = images(1, 2, 3, *size)
    made = halved(x)
    height, width = (-(-n // 2) for n in size)
    assert made.shape == (2, 3, height, width)
    for row in range(height):
        for column in range(width):
            part = x[:, :, max(0, 2 * row - 1) : 2 * row + 2, max(0, 2 * column - 1) : 2 * column + 2]
            torch.testing.assert_close(made[:, :, row, column], part.mean((2, 3)))


def test_each_scale_has_weights_of_its_own_and_sees_half_of_the_one_before() -> None:
    net: Any = build_discriminator(NetOptions(ndf=2, num_D=3, patch_size=16), 3)
    x = images(1, 2, 3, 64, 48)
    verdicts = net(x)
    sizes = [x, halved(x), halved(halved(x))]
    for verdict, judge, image in zip(verdicts, net.judges, sizes, strict=True):
        assert torch.equal(verdict, judge(image))
    keys = list(net.state_dict())
    assert {key.split(".")[1] for key in keys} == {"0", "1", "2"}
    assert not torch.equal(net.judges[0].model[0].weight, net.judges[1].model[0].weight)


@pytest.mark.parametrize("batched", [True, False])
def test_verdicts_of_two_batches_come_apart(batched: bool) -> None:
    net = build_discriminator(NetOptions(ndf=2, num_D=2, patch_size=16), 3)
    real, fake = images(1, 2, 3, 32, 32), images(2, 1, 3, 32, 32)
    found = together(net, [real, fake], batched=batched)
    for verdict, image in zip(found, (real, fake), strict=True):
        for mine, alone in zip(verdict, net(image), strict=True):
            torch.testing.assert_close(mine, alone)


@pytest.mark.parametrize("flags", [{}, {"patch_size": 16}, {"netD": "pixel"}, {"netD": "pixel", "norm": "none"}])
@pytest.mark.parametrize("num_D", [1, 2, 3])
def test_the_smallest_image_is_judged_at_every_scale_and_a_smaller_one_is_not(
    num_D: int, flags: dict[str, Any]
) -> None:
    opt = NetOptions(ndf=2, num_D=num_D, **flags)
    net, least = build_discriminator(opt, 3), smallest_input(opt)
    assert all(min(verdict.shape) > 0 for verdict in scales(net(images(1, 1, 3, least, least))))
    if least > 1:
        with pytest.raises((RuntimeError, ValueError)):
            net(images(1, 1, 3, least - 1, least - 1))


@pytest.mark.parametrize("patch_size", [16, 34])
def test_patches_of_the_coarse_scales_are_as_large_as_computed(patch_size: int) -> None:
    net = build_discriminator(NetOptions(ndf=2, num_D=3, patch_size=patch_size, norm="none"), 1).double()
    x = images(1, 1, 1, 512, 300).double().requires_grad_()
    for verdict, side in zip(net(x), receptive_fields(net), strict=True):
        row, column = verdict.shape[2] // 2, verdict.shape[3] // 2
        (gradient,) = torch.autograd.grad(verdict[0, 0, row, column], x, retain_graph=True)
        rows = gradient[0, 0].abs().sum(1).nonzero().flatten()
        assert int(rows[-1] - rows[0]) + 1 == side
