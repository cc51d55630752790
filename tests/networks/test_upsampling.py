"""Decoders that resize write no checkerboards; transposed convolutions do."""

import pytest
import torch
from torch import nn

from networks.factory import build_generator
from networks.upsampling import doubling
from options.schema import NetOptions
from tests.recorded import images


def unevenness(net: nn.Module, image: torch.Tensor) -> float:
    """Return how much neighbours differ in the middle of what becomes of a flat image, relative to its size."""
    with torch.no_grad():
        made = net(image)
    middle = made[:, :, 28:-28, 28:-28]
    return float(max(middle.diff(dim=2).abs().max(), middle.diff(dim=3).abs().max()) / middle.abs().max())


@pytest.mark.parametrize("netG", ["resnet_1blocks", "johnson_1blocks"])
def test_a_flat_image_stays_flat_where_maps_are_resized(netG: str) -> None:
    found = {}
    for upsampling in ("transposed", "resize"):
        torch.manual_seed(0)
        net = build_generator(NetOptions(netG=netG, ngf=4, norm="none", init_gain=0.3, upsampling=upsampling), 3, 3)
        found[upsampling] = unevenness(net.eval().double(), torch.full((1, 3, 128, 128), 0.5, dtype=torch.float64))
    assert found["resize"] < 1e-9
    assert found["transposed"] > 1e-2


@pytest.mark.parametrize("taps", [3, 4])
def test_a_flat_map_stays_flat_up_to_its_edges(taps: int) -> None:
    flat = torch.full((1, 4, 5, 6), 0.7)
    made = {how: doubling(how, 4, 2, taps=taps, bias=True)(flat) for how in ("resize", "transposed")}
    assert all(y.shape == (1, 2, 10, 12) for y in made.values())
    assert made["resize"].std((2, 3)).max() < 1e-6
    assert made["transposed"].std((2, 3)).max() > 1e-2


@pytest.mark.parametrize("netG", ["unet_64", "encdec_64"])
def test_a_point_becomes_four_different_ones_in_spite_of_resizing(netG: str) -> None:
    net = build_generator(NetOptions(netG=netG, ngf=2, norm="none", upsampling="resize", init_gain=0.3), 3, 3)
    assert sum(isinstance(layer, nn.ConvTranspose2d) for layer in net.modules()) == 1
    assert sum(isinstance(layer, nn.Upsample) for layer in net.modules()) == 5
    with torch.no_grad():
        made = net.eval()(images(1, 1, 3, 64, 64))
    assert made.std((2, 3)).max() > 1e-3 * made.abs().max()
