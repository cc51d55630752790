"""A bare generator file tells the flags that build its network."""

import dataclasses
from typing import Any

import pytest
import torch

from networks.factory import build_discriminator, build_generator
from networks.recognise import recognise_generator
from options.schema import NetOptions
from tests.networks.test_legacy import with_old_buffers


def rebuilt(found: dict[str, Any]) -> dict[str, torch.Size]:
    """Return the shapes of the network that the reported flags build."""
    opt = NetOptions(**found)
    return {key: value.shape for key, value in build_generator(opt, opt.input_nc, opt.output_nc).state_dict().items()}


@pytest.mark.parametrize("spectral", ["none", "GD"])
@pytest.mark.parametrize("upsampling", ["transposed", "resize"])
@pytest.mark.parametrize("no_dropout", [True, False])
@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize(
    ("netG", "channels", "ngf"),
    [
        ("resnet_1blocks", (1, 3), 2),
        ("resnet_2blocks", (1, 4), 4),
        ("resnet_9blocks", (3, 1), 8),
        ("unet_32", (3, 4), 1),
        ("unet_64", (1, 4), 4),
        ("unet_256", (4, 4), 2),
        ("encdec_32", (1, 4), 4),
        ("encdec_128", (4, 1), 3),
        ("adalin_1blocks", (1, 4), 4),
        ("adalin_3blocks", (3, 3), 2),
        ("johnson_2blocks", (1, 4), 4),
    ],
)
def test_every_generator_is_recognised_by_its_shapes(
    netG: str, channels: tuple[int, int], ngf: int, norm: str, no_dropout: bool, upsampling: str, spectral: str
) -> None:
    flags: dict[str, Any] = {"netG": netG, "norm": norm, "no_dropout": no_dropout, "upsampling": upsampling}
    flags |= {"spectral_norm": spectral, "input_nc": channels[0], "output_nc": channels[1], "ngf": ngf}
    net = build_generator(NetOptions(**flags), *channels)
    found = recognise_generator(net.state_dict())
    hidden = {"upsampling": "transposed", "spectral_norm": "none"}  # what is usual is not reported
    invisible = {"norm", "upsampling"} if netG.startswith("adalin") else set()
    invisible |= {"no_dropout"} if netG.startswith("unet") or netG == "encdec_32" else set()
    assert set(found) <= set(flags)
    for key in set(flags) - invisible:
        assert found.get(key, hidden.get(key)) == flags[key], key
    if spectral == "none":
        assert recognise_generator(with_old_buffers(net)) == found
    assert rebuilt(found) == {key: value.shape for key, value in net.state_dict().items()}


@pytest.mark.parametrize(
    "flags",
    [
        *({"netD": "n_layers", "n_layers_D": layers, "ndf": ndf} for layers in (1, 2, 8, 9, 13) for ndf in (1, 2)),
        *({"netD": netD, "norm": norm} for netD in ("basic", "pixel") for norm in ("instance", "batch", "none")),
        {"num_D": 3, "spectral_norm": "D"},
    ],
)
def test_a_discriminator_is_not_taken_for_a_generator(flags: dict[str, Any]) -> None:
    net = build_discriminator(NetOptions(**{"ndf": 2} | flags), 3)
    with pytest.raises(ValueError, match="not the file of a known generator"):
        recognise_generator(net.state_dict())


def test_syncbatch_weights_are_batch_weights() -> None:
    for netG in ("resnet_1blocks", "unet_32"):
        net = build_generator(NetOptions(netG=netG, norm="syncbatch", ngf=2), 3, 3)
        assert recognise_generator(net.state_dict())["norm"] == "batch"


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"weight": torch.zeros(1)},
        {"model.1.weight": torch.zeros(2, 2, 7, 7)},
        {"features.0.weight": torch.zeros(3, 3, 3, 3), "classifier.bias": torch.zeros(2)},
    ],
)
def test_rubbish_is_refused_with_what_it_holds(weights: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ValueError, match="not the file of a known generator") as error:
        recognise_generator(weights)
    assert all(key in str(error.value) for key in weights)


@pytest.mark.parametrize("netG", ["resnet_1blocks", "unet_32", "johnson_1blocks", "adalin_1blocks"])
def test_a_generator_file_with_keys_missing_is_refused(netG: str) -> None:
    weights = dict(build_generator(dataclasses.replace(NetOptions(), netG=netG, ngf=2), 3, 3).state_dict())
    for key in [*weights][-2:]:  # the last convolution
        del weights[key]
    with pytest.raises(ValueError, match="generator"):
        recognise_generator(weights)
