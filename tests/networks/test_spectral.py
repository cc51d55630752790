"""Spectral norm: singular values of 1, and networks that are copied, held and made plain."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from networks.factory import build_discriminator, build_generator
from networks.fast.layers import FastLayer, speed_up
from networks.generators import GENERATORS
from networks.repeatable import repeatable
from networks.spectral import LAYERS, SpectralNorm, hold_spectra, normalise_spectra
from options.schema import NetOptions
from tests.recorded import images

SMALL = {pattern: pattern.replace("<N>", "1" if pattern.endswith("blocks") else "32") for pattern in GENERATORS}


def largest_singular_values(network: nn.Module) -> list[float]:
    found = []
    for layer in network.modules():
        if isinstance(layer, LAYERS):
            weight = layer.weight.detach()
            matrix = weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else weight
            found.append(float(torch.linalg.matrix_norm(matrix.flatten(1), 2)))
    return found


def moved(network: nn.Module, count: int = 20) -> nn.Module:
    for seed in range(count):
        network(images(seed, 1, 3, 32, 32))
    return network


@pytest.mark.parametrize("name", list(SMALL.values()))
def test_all_layers_of_a_generator_have_the_largest_singular_value_1(name: str) -> None:
    torch.manual_seed(0)
    net = moved(build_generator(NetOptions(netG=name, ngf=4, norm="none", spectral_norm="GD"), 3, 3))
    assert largest_singular_values(net) == pytest.approx([1] * len(largest_singular_values(net)), abs=0.06)


def test_the_flag_says_which_networks() -> None:
    for choice, G, D in (("none", 0, 0), ("D", 0, 2), ("GD", 1, 2)):
        opt = NetOptions(netG="resnet_1blocks", ngf=2, ndf=2, spectral_norm=choice, num_D=2)  # type: ignore[arg-type]
        for net, wanted in ((build_generator(opt, 3, 3), G), (build_discriminator(opt, 3), D)):
            assert any(isinstance(layer, SpectralNorm) for layer in net.modules()) == bool(wanted)


def test_it_is_pytorchs_own_with_the_same_keys() -> None:
    torch.manual_seed(0)
    mine, theirs = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
    theirs.load_state_dict(mine.state_dict())
    normalise_spectra(mine)
    spectral_norm(theirs)
    theirs.load_state_dict(mine.state_dict())
    x = images(1, 2, 3, 8, 8)
    for _ in range(3):
        assert torch.equal(mine(x), theirs(x))
    transposed = nn.ConvTranspose2d(3, 5, 3)
    normalise_spectra(transposed)
    assert transposed.state_dict()["parametrizations.weight.0._u"].shape == (5,)


def test_full_precision_stays_under_autocast() -> None:
    net: Any = build_discriminator(NetOptions(ndf=4, spectral_norm="D"), 3)
    with torch.autocast("cpu", torch.bfloat16):
        verdict = net(images(1, 1, 3, 32, 32))
        assert net.model[0].weight.dtype == torch.float32
    verdict.sum().backward()


def test_in_evaluation_and_when_held_nothing_moves() -> None:
    net = build_generator(NetOptions(netG="resnet_1blocks", ngf=2, spectral_norm="GD", no_dropout=True), 3, 3)
    before = vectors(net)
    moved(net, 1)
    assert not same(before, vectors(net))
    for training, hold in ((False, False), (True, True), (True, False)):  # once held it stays so
        net.train(training)
        if hold:
            hold_spectra(net)
        before = vectors(net)
        moved(net, 2)
        assert same(before, vectors(net))


def vectors(net: nn.Module) -> list[Tensor]:
    return [buffer.clone() for buffer in net.buffers()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(mine, theirs) for mine, theirs in zip(one, other, strict=True))


@pytest.mark.parametrize("name", list(SMALL.values()))
def test_a_repeatable_generator_has_plain_weights_and_leaves_the_other_alone(name: str) -> None:
    opt = NetOptions(netG=name, ngf=4, norm="none", spectral_norm="GD", no_dropout=True)
    net, x = moved(build_generator(opt, 3, 3), 2), images(1, 1, 3, 40, 33)
    state = {key: value.clone() for key, value in net.state_dict().items()}
    with torch.no_grad():
        wanted = net.eval()(x)
        plain = repeatable(net)
        assert torch.equal(plain(x), wanted)
        assert not any(isinstance(layer, SpectralNorm) for layer in plain.modules())
        speed_up(plain)
        assert any(isinstance(layer, FastLayer) for layer in plain.modules())
        torch.testing.assert_close(plain(x), wanted, rtol=1e-4, atol=1e-5)
        assert torch.equal(net(x), wanted)
    assert all(torch.equal(value, state[key]) for key, value in net.state_dict().items())
    net.train()
    assert not torch.equal(moved(net, 1).state_dict()[moving(net)], state[moving(net)])


def moving(net: nn.Module) -> str:
    return next(key for key in net.state_dict() if key.endswith("._u"))


@pytest.mark.parametrize("short", [None, torch.bfloat16])
def test_beside_the_cpus_fast_layers_it_stays_what_it_is(short: torch.dtype | None) -> None:
    torch.manual_seed(0)
    net = build_generator(NetOptions(netG="resnet_1blocks", ngf=4, spectral_norm="GD", no_dropout=True), 3, 3)
    fast, x = copy.deepcopy(net), images(1, 1, 3, 32, 32)
    speed_up(fast, wide=short, short=short)
    torch.testing.assert_close(fast(x), net(x), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(vectors(fast), vectors(net), rtol=1e-4, atol=1e-5)
