"""Patches are read where the paper reads them, and as the maps are, whatever computes the layers."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from networks.factory import build_generator
from networks.fast.layers import speed_up
from networks.patch_sampler import Encoder, PatchSampler, draw_places, read_patches
from options.schema import NetOptions


def generator(netG: str = "resnet_6blocks", *, norm: str = "instance", ngf: int = 4, **flags: Any) -> Any:
    torch.manual_seed(0)
    given: dict[str, Any] = {"netG": netG, "norm": norm, "ngf": ngf, "init_gain": 0.2, "no_dropout": True}
    return build_generator(NetOptions(**given, **flags), 3, 3)


def images(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(3)) * 2 - 1


@pytest.mark.parametrize(
    ("netG", "layers", "widths"),
    [
        ("resnet_1blocks", (0, 4, 7, 10), [3, 8, 16, 16]),
        ("resnet_3blocks", (0, 4, 7, 10, 12), [3, 8, 16, 16, 16]),
        ("resnet_6blocks", (0, 4, 7, 10, 14), [3, 8, 16, 16, 16]),
        ("resnet_9blocks", (0, 4, 7, 10, 14), [3, 8, 16, 16, 16]),  # as the paper lists them
    ],
)
def test_with_fewer_blocks_the_last_takes_the_place_of_the_fifth(
    netG: str, layers: tuple[int, ...], widths: list[int]
) -> None:
    encoder = Encoder(generator(netG))
    assert (encoder.layers, encoder.widths) == (layers, widths)


@pytest.mark.parametrize(
    ("netG", "flags"),
    [
        ("resnet_2blocks", {}),
        ("resnet_2blocks", {"upsampling": "resize"}),
        ("johnson_2blocks", {}),
        ("johnson_2blocks", {"upsampling": "resize"}),
        ("adalin_1blocks", {}),
    ],
)
def test_maps_are_those_of_the_layers_in_a_row_and_widths_their_channels(netG: str, flags: dict[str, Any]) -> None:
    net = generator(netG, **flags)
    x = images(2, 3, 24, 20)
    count = len(net.model)
    encoder = Encoder(net, range(count))
    maps = [found.clone() for found in encoder.maps(x)]
    assert encoder.layers[-1] == count - 1
    assert encoder.widths == [found.shape[1] for found in maps]
    for layer, found in zip(encoder.layers, maps, strict=True):
        assert torch.equal(found, net.model[: layer + 1](x)), layer
    assert torch.equal(maps[-1], net(x))
    assert len(Encoder(net).layers) == len(list(Encoder(net).maps(x)))


def test_the_layers_behind_the_last_that_is_read_are_not_computed() -> None:
    net = generator()
    computed: list[int] = []
    for place, layer in enumerate(net.model):
        layer.register_forward_hook(lambda layer, given, out, place=place: computed.append(place))
    list(Encoder(net, [4, 7]).maps(images(1, 3, 16, 16)))
    assert computed == list(range(8))


@pytest.mark.parametrize("norm", ["instance", "none"])
def test_patches_are_the_same_with_fast_layers_and_work_in_place(norm: str) -> None:
    x = images(2, 3, 16, 16)
    read = []
    for fast in (False, True):
        net = generator(norm=norm)
        encoder = Encoder(net, range(16))
        if fast:
            speed_up(net)
        torch.manual_seed(1)
        read.append([read_patches(found, draw_places(found, 9)) for found in encoder.maps(x)])
    for layer, plain, quick in zip(encoder.layers, *read, strict=True):
        assert (quick - plain).abs().max() < 1e-5 * plain.abs().max(), layer
    before = nn.functional.conv2d(nn.functional.pad(x, (3,) * 4, "reflect"), net.model[1].weight, net.model[1].bias)
    torch.manual_seed(1)
    for place, channels in enumerate((3, 4)):
        where = draw_places(before if place else torch.empty(1, channels, 22, 22), 9)
    torch.testing.assert_close(read[0][1], before.flatten(2)[:, :, where].transpose(1, 2), msg="not yet rectified")


def test_what_is_read_has_the_gradient_of_plain_indexing() -> None:
    x = torch.randn(2, 3, 4, 5, dtype=torch.float64, requires_grad=True)
    places = torch.tensor([0, 7, 19, 7])
    patches = read_patches(x, places)
    assert torch.equal(patches, x.flatten(2)[:, :, places].transpose(1, 2))
    weights = torch.randn_like(patches)
    (gradient,) = torch.autograd.grad((patches * weights).sum(), x)
    expected = torch.zeros(2, 3, 20, dtype=torch.float64)
    for number, place in enumerate(places):
        expected[:, :, place] += weights[:, number]
    torch.testing.assert_close(gradient.flatten(2), expected)


def test_the_next_layer_may_overwrite_what_was_read() -> None:
    x = torch.randn(1, 2, 4, 4, requires_grad=True)
    y = x * 2
    patches = read_patches(y, torch.tensor([3]))
    y.relu_()
    (gradient,) = torch.autograd.grad(patches.sum(), x)
    assert float(gradient.sum()) == 4


def test_mirrored_maps_are_read_as_if_turned_over() -> None:
    x = torch.randn(3, 2, 4, 5)
    places = torch.tensor([0, 4, 7, 13])
    mirrored = torch.tensor([True, False, True])[:, None, None, None]
    expected = read_patches(torch.where(mirrored, x.flip(3), x), places)
    assert torch.equal(read_patches(x, places, mirrored), expected)


def test_short_types_are_read_in_float32() -> None:
    assert read_patches(torch.zeros(1, 2, 3, 3, dtype=torch.bfloat16), torch.tensor([1])).dtype == torch.float32


def test_places_are_different_and_all_where_there_are_no_more() -> None:
    features = torch.empty(1, 1, 6, 7)
    assert sorted(draw_places(features, 256).tolist()) == list(range(42))
    torch.manual_seed(5)
    few = draw_places(features, 9)
    assert len(set(few.tolist())) == 9
    torch.manual_seed(5)
    assert torch.equal(draw_places(features, 9), few)
    assert not torch.equal(draw_places(features, 9), few)


def test_vectors_have_length_1_and_weights_the_official_names() -> None:
    sampler = PatchSampler([3, 8], 16)
    assert list(sampler.state_dict()) == [
        f"mlp_{number}.{layer}.{kind}" for number in (0, 1) for layer in (0, 2) for kind in ("weight", "bias")
    ]
    for number, width in enumerate((3, 8)):
        vectors = sampler(torch.randn(2, 5, width), number)
        assert vectors.shape == (2, 5, 16)
        torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2, 5))


def test_images_that_are_too_small_for_the_layers_are_extended() -> None:
    assert [found.shape[2] for found in Encoder(generator(), [0, 10]).maps(images(1, 3, 3, 3))] == [11, 2]


@pytest.mark.parametrize("netG", ["unet_32", "encdec_32"])
def test_a_generator_without_residual_blocks_is_refused(netG: str) -> None:
    with pytest.raises(ValueError, match="residual blocks alone; pass --netG resnet_9blocks"):
        Encoder(generator(netG))


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="--nce_layers 28: the generator has the layers 0 to 27"):
        Encoder(generator("resnet_9blocks"), [0, 28])
