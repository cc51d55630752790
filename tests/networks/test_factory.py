"""Networks by name: sizes, families, and what an unknown name is answered."""

from typing import Any

import pytest
import torch

from networks.factory import (
    DISCRIMINATORS,
    build_discriminator,
    build_generator,
    check_network_names,
    generator_family,
)
from networks.generators import GENERATORS, named_generators
from options.flag import flags_of
from options.schema import NetOptions
from util.registry import did_you_mean


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("resnet_9blocks", ("resnet", 9)),
        ("resnet_6blocks", ("resnet", 6)),
        ("resnet_1blocks", ("resnet", 1)),
        ("unet_32", ("unet", 32)),
        ("unet_128", ("unet", 128)),
        ("unet_256", ("unet", 256)),
        ("encdec_64", ("encdec", 64)),
        ("adalin_4blocks", ("adalin", 4)),
        ("johnson_12blocks", ("johnson", 12)),
    ],
)
def test_a_name_says_family_and_size(name: str, family: tuple[str, int]) -> None:
    assert generator_family(name) == family


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("resnet_9block", r"unknown generator 'resnet_9block'; did you mean 'resnet_9blocks'\?"),
        ("unet256", r"did you mean 'unet_256'\?"),
        ("", "unknown generator ''"),
        ("unet_", "unknown generator"),
        ("unet_-32", "unknown generator"),
        ("unet_100", "power of two from 32"),
        ("unet_16", "power of two from 32"),
        ("unet_0", "power of two from 32"),
        ("xresnet_9blocks", "unknown generator"),
        ("encdec_48", "--netG encdec_48: the size is a power of two from 32, such as encdec_256"),
        ("resnet_0blocks", "--netG resnet_0blocks: it needs a block at least; pass --netG resnet_9blocks"),
        ("adalin_0blocks", "pass --netG adalin_4blocks"),
        ("johnson_05blocks", r"unknown generator 'johnson_05blocks'; did you mean 'johnson_5blocks'\?"),
        ("adalin", r"known: resnet_<N>blocks, unet_<N>, encdec_<N>, adalin_<N>blocks, johnson_<N>blocks"),
    ],
)
def test_an_unknown_generator_is_answered_with_what_to_type(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        generator_family(name)


@pytest.mark.parametrize("pattern", list(GENERATORS))
def test_every_line_of_the_table_is_in_the_help_text_and_can_be_meant(pattern: str) -> None:
    assert pattern in flags_of(NetOptions)["netG"].text
    usual = pattern.replace("<N>", str(GENERATORS[pattern].usual[0]))
    assert usual in named_generators()
    assert did_you_mean(usual + "x", named_generators()) == f"; did you mean {usual!r}?"
    with torch.device("meta"):
        net = build_generator(NetOptions(netG=usual), 3, 3)
    assert GENERATORS[pattern].recomputable == any(hasattr(module, "recomputed") for module in net.modules())


@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("pattern", list(GENERATORS))
def test_every_generator_has_its_usual_sizes(pattern: str, norm: Any, upsampling: Any) -> None:
    opt = NetOptions(
        norm=norm, upsampling=upsampling, netG=pattern.replace("<N>", "3" if "blocks" in pattern else "32")
    )
    with torch.device("meta"):
        net = build_generator(opt, 3, 2)
        assert net(torch.zeros(2, 3, 64, 96)).shape == (2, 2, 64, 96)


def test_an_unknown_discriminator_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"unknown discriminator 'basc'; did you mean 'basic'\?; known: basic, n_layers"
    ):
        check_network_names("unet_256", "basc")
    check_network_names("unet_256", "pixel")


@pytest.mark.parametrize("size", [32, 64, 128])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
def test_a_unet_keeps_the_size_of_its_smallest_image_and_of_multiples(size: int, norm: Any) -> None:
    net = build_generator(NetOptions(netG=f"unet_{size}", ngf=2, norm=norm), 1, 4).eval()
    with torch.no_grad():
        assert net(torch.zeros(1, 1, 2 * size, size)).shape == (1, 4, 2 * size, size)
        if norm != "instance":  # which has nothing to normalise over in a map of one pixel
            assert net.train()(torch.zeros(2, 1, size, size)).shape == (2, 4, size, size)


@pytest.mark.parametrize("dropout", [True, False])
def test_dropout_is_there_when_asked_for(dropout: bool) -> None:
    for netG in ("resnet_2blocks", "unet_128"):
        net = build_generator(NetOptions(netG=netG, ngf=2, no_dropout=not dropout), 3, 3)
        count = sum(isinstance(module, torch.nn.Dropout) for module in net.modules())
        assert count == (2 if dropout else 0)  # unet_128 has it in num_downs - 5 blocks


@pytest.mark.parametrize("name", list(DISCRIMINATORS))
def test_every_discriminator_judges_any_number_of_channels(name: str) -> None:
    for channels in (1, 6):
        net = build_discriminator(NetOptions(netD=name, ndf=2), channels)
        assert net(torch.zeros(2, channels, 64, 64)).shape[:2] == (2, 1)
