"""The encoder-decoder against the paper's lists of layers (Isola et al. 2017, appendix 6.1.1)."""

from typing import Any

import torch
from torch import nn

from networks.factory import build_generator
from options.schema import NetOptions


def build(name: str, **flags: Any) -> Any:
    return build_generator(NetOptions(netG=name, **flags), 3, 3)


def test_the_layers_are_those_of_the_paper() -> None:
    net = build("encdec_256", norm="batch")
    down = [layer.out_channels for layer in net.modules() if isinstance(layer, nn.Conv2d)]
    up = [(layer.in_channels, layer.out_channels) for layer in net.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert down == [64, 128, 256, 512, 512, 512, 512, 512]
    assert up == [*[(512, 512)] * 4, (512, 256), (256, 128), (128, 64), (64, 3)]
    dropped = [index for index, layer in enumerate(net.model) if isinstance(layer, nn.Dropout)]
    norms = [index for index, layer in enumerate(net.model) if isinstance(layer, nn.BatchNorm2d)]
    assert len(dropped) == 3  # CD512 CD512 CD512
    assert all(index - 1 in norms for index in dropped)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in net.model[:3])  # none after the first convolution


def test_everything_goes_through_the_bottleneck() -> None:
    net = build("encdec_32", ngf=2, norm="batch", no_dropout=True).train()
    innermost = max(i for i, layer in enumerate(net.model) if isinstance(layer, nn.Conv2d))
    seen: list[torch.Size] = []

    def empty(layer: nn.Module, given: object, out: torch.Tensor) -> torch.Tensor:
        seen.append(out.shape)
        return torch.zeros_like(out)

    net.model[innermost].register_forward_hook(empty)
    first, second = net(torch.rand(1, 3, 32, 32)), net(torch.rand(1, 3, 32, 32))
    assert seen == [torch.Size([1, 16, 1, 1])] * 2
    assert torch.equal(first, second)
