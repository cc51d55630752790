"""U-GAT-IT's generator: its parts by their definitions, and that it takes images of any size."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from networks.adalin import AdaLINGenerator, AdaptiveBlock, AdaptiveBlocks, Attention, Style
from networks.blended_norm import LIN, AdaLIN
from networks.factory import build_generator
from networks.resnet import ResnetBlock
from options.schema import NetOptions
from tests.recorded import images


def generator(blocks: int = 2) -> nn.Module:
    torch.manual_seed(0)
    net = build_generator(NetOptions(netG=f"adalin_{blocks}blocks", ngf=4, no_dropout=True), 3, 3)
    for parameter in net.parameters():
        parameter.data.mul_(5)
    return net


@pytest.mark.parametrize("blocks", [1, 4])
def test_the_number_counts_blocks_of_either_kind(blocks: int) -> None:
    net = AdaLINGenerator(3, 3, ngf=2, blocks=blocks, dropout=False)
    kinds = [type(layer) for layer in net.modules()]
    assert kinds.count(ResnetBlock) == kinds.count(AdaptiveBlock) == blocks
    assert (kinds.count(AdaLIN), kinds.count(LIN)) == (2 * blocks, 2)


def test_channels_are_weighed_in_two_ways_and_joined() -> None:
    layer, x = Attention(4), torch.randn(2, 4, 5, 6)
    first, second = layer.average.weight[0], layer.maximum.weight[0]
    both = torch.cat([torch.einsum("nchw,c->nchw", x, weights) for weights in (first, second)], 1)
    matrix = layer.join.weight[:, :, 0, 0]
    assert layer.join.bias is not None
    joined = torch.einsum("nchw,kc->nkhw", both, matrix) + layer.join.bias[:, None, None]
    torch.testing.assert_close(layer(x), joined.clamp(min=0))


def test_all_blocks_share_a_scale_and_a_shift_made_of_the_average_over_the_map() -> None:
    layers, x = AdaptiveBlocks(4, 2, dropout=False), torch.rand(2, 4, 6, 9)
    seen = []
    for layer in layers.modules():
        if isinstance(layer, AdaLIN):
            layer.register_forward_pre_hook(lambda norm, given: seen.append(given[1:]))
    layers(x)
    hidden = x.mean((2, 3))
    for linear in (layers.style.hidden[0], layers.style.hidden[2]):
        assert isinstance(linear, nn.Linear)
        hidden = F.relu(hidden @ linear.weight.T)
    assert len(seen) == 4
    for gamma, beta in seen:
        torch.testing.assert_close(gamma[:, :, 0, 0], hidden @ layers.style.gamma.weight.T)
        torch.testing.assert_close(beta[:, :, 0, 0], hidden @ layers.style.beta.weight.T)


def test_an_image_and_its_neighbour_in_the_batch_do_not_see_each_other() -> None:
    net, batch = generator().double(), images(1, 3, 3, 37, 50).double()
    alone = torch.cat([net(image[None]) for image in batch])
    torch.testing.assert_close(net(batch), alone)


@pytest.mark.parametrize("kind", ["normal", "xavier"])
def test_the_scale_is_large_enough_at_the_start_for_the_blocks_to_learn(kind: str) -> None:
    torch.manual_seed(0)
    net = build_generator(NetOptions(netG="adalin_2blocks", ngf=16, init_type=kind), 3, 3)  # type: ignore[arg-type]
    net(torch.rand(1, 3, 32, 32)).mean().backward()
    (style,) = [layer for layer in net.modules() if isinstance(layer, Style)]
    gamma, _ = style(torch.rand(4, 64))
    assert gamma.abs().mean() > 1e-3
