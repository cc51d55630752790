"""A generator in portable layers makes the same as the generator, whatever the size."""

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from inference.export.portable import extended, middle, portable
from networks.any_size import cut, padded
from networks.factory import build_generator
from networks.repeatable import repeatable
from options.schema import NetOptions
from tests.recorded import images

SIZES = ((1, 3, 64, 64), (2, 3, 32, 32), (3, 3, 33, 47), (1, 3, 5, 9), (1, 3, 1, 70), (2, 3, 4, 3))
NORMS = ("instance", "batch", "syncbatch", "none")


def generator(netG: str, norm: Any = "instance", **flags: Any) -> nn.Module:
    """Return one that has seen something, with weights and statistics of norms that differ by channel."""
    torch.manual_seed(3)
    net = build_generator(NetOptions(netG=netG, norm=norm, ngf=4, **flags), 3, 2)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d | nn.SyncBatchNorm):
            nn.init.uniform_(layer.weight, 0.5, 2)
            nn.init.uniform_(layer.bias, -1, 1)
            layer.get_buffer("running_mean").uniform_(-1, 1)
            layer.get_buffer("running_var").uniform_(0.5, 2)
    for name, parameter in net.named_parameters():
        if name.endswith("rho"):
            nn.init.uniform_(parameter, -0.2, 1.2)
    return net


def scripted(network: nn.Module) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.script(network)


def image(*shape: int) -> Tensor:
    return images(5, *shape)


def assert_portable(network: nn.Module) -> None:
    """Compare the portable layers, also compiled, with the network for images of all sizes."""
    made = portable(network)
    compiled = scripted(made)
    with torch.inference_mode():
        for size in SIZES:
            wanted = network(image(*size))
            assert torch.allclose(made(image(*size)), wanted, atol=2e-5), size
            assert torch.allclose(compiled(image(*size)), wanted, atol=2e-5), size


@pytest.mark.parametrize("netG", ["resnet_2blocks", "unet_32", "encdec_32", "johnson_1blocks"])
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("running_statistics", [False, True])
def test_portable_layers_make_the_same_numbers(netG: str, norm: str, running_statistics: bool) -> None:
    assert_portable(repeatable(generator(netG, norm), running_statistics=running_statistics))


@pytest.mark.parametrize("flags", [{"netG": "adalin_2blocks"}, {"netG": "resnet_1blocks", "upsampling": "resize"}])
def test_other_layers_and_spectral_norm_become_portable(flags: dict[str, Any]) -> None:
    assert_portable(repeatable(generator(**flags, spectral_norm="GD")))


def test_weights_are_shared_and_the_network_stays_as_it_was() -> None:
    network = repeatable(generator("resnet_1blocks", "instance"))
    kinds = [type(layer) for layer in network.modules()]
    made = portable(network)
    assert {id(weight) for weight in made.parameters()} == {id(weight) for weight in network.parameters()}
    assert [type(layer) for layer in network.modules()] == kinds


@pytest.mark.parametrize(("multiple", "least"), [(32, 0), (4, 0), (1, 5)])
@pytest.mark.parametrize("size", [(1, 1), (1, 40), (2, 3), (31, 33), (64, 96)])
def test_sides_are_extended_and_cut_as_everywhere_else(multiple: int, least: int, size: tuple[int, int]) -> None:
    x = image(1, 2, *size)
    wide = extended(extended(x, 2, multiple, least), 3, multiple, least)
    assert torch.equal(wide, padded(x, multiple, max(least, 1)))
    back = middle(middle(wide, 2, size[0], wide.shape[2]), 3, size[1], wide.shape[3])
    assert torch.equal(back, x)
    assert torch.equal(back, cut(wide, x))
