"""Johnson's generator is the one in the paper's table: its parameters, its sizes, its one reflection."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from networks.factory import build_generator
from networks.johnson import JohnsonGenerator, UnpaddedBlock
from options.schema import NetOptions
from tests.recorded import images


def test_the_papers_network_has_as_many_parameters_as_its_table() -> None:
    net = build_generator(NetOptions(netG="johnson_5blocks", norm="batch"), 3, 3)
    ends = 9 * 9 * 3 * 32 + 9 * 9 * 32 * 3 + 3  # the last convolution has a bias
    halvings = 3 * 3 * 32 * 64 + 3 * 3 * 64 * 128
    doublings = halvings
    blocks = 5 * 2 * 3 * 3 * 128 * 128
    norms = 2 * (32 + 64 + 128 + 5 * 2 * 128 + 64 + 32)
    assert ends + halvings + doublings + blocks + norms == 1_677_635  # the paper's 1.68 M
    assert sum(p.numel() for p in net.parameters()) == 1_677_635


def test_sizes_shrink_and_grow_as_in_the_table() -> None:
    net: Any = JohnsonGenerator(3, 3, ngf=4, blocks=5, norm="batch", dropout=False, upsampling="transposed")
    sides: list[int] = []
    for layer in net.model:
        if not isinstance(layer, nn.BatchNorm2d | nn.ReLU | nn.Tanh):
            layer.register_forward_hook(lambda layer, given, out: sides.append(out.shape[2]))
    net(torch.zeros(1, 3, 256, 256))
    assert sides == [336, 336, 168, 84, 80, 76, 72, 68, 64, 128, 256, 256]


def test_the_image_is_reflected_once() -> None:
    torch.manual_seed(0)
    net: Any = JohnsonGenerator(3, 3, ngf=4, blocks=2, norm="instance", dropout=False, upsampling="transposed")
    x = images(1, 1, 3, 32, 40)
    surrounded = np.pad(x.numpy(), ((0, 0), (0, 0), (16, 16), (16, 16)), mode="reflect")
    assert torch.equal(net(x), net.model[1:](torch.from_numpy(surrounded)))


def test_a_block_is_added_to_the_middle_of_what_it_was_given() -> None:
    block, x = UnpaddedBlock(3, norm="none", dropout=False), torch.randn(2, 3, 9, 8)
    convolutions = [layer for layer in block.conv_block if isinstance(layer, nn.Conv2d)]
    y = convolutions[1](convolutions[0](x).relu())
    torch.testing.assert_close(block(x), x[:, :, 2:7, 2:6] + y)


def test_half_a_filter_is_refused() -> None:
    with pytest.raises(ValueError, match="--ngf 5 is odd.*johnson_5blocks.*pass --ngf 6"):
        build_generator(NetOptions(netG="johnson_5blocks", ngf=5), 3, 3)
