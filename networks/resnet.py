"""The residual generator of CycleGAN (Zhu et al. 2017, appendix 7.2; after Johnson et al. 2016).

``state_dict`` keys are the official ones: ``model.<i>`` for the trunk, ``model.<i>.conv_block.<j>``
inside a residual block. A layer without parameters still takes an index.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from networks.any_size import cut, padded
from networks.norm import needs_bias, norm_layer
from networks.pad import ReflectionPad
from networks.statistics import still_statistics


class ResnetBlock(nn.Module):
    """Two padded 3x3 convolutions and a sum, with no activation after it.

    Attributes:
        recomputed: compute them a second time on the way back instead of remembering all in between (Chen et al. 2016).
    """

    recomputed = False

    def __init__(self, channels: int, *, norm: str, dropout: bool) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            ReflectionPad(1),
            nn.Conv2d(channels, channels, 3, bias=needs_bias(norm)),
            norm_layer(norm)(channels),
            nn.ReLU(inplace=True),
            *([nn.Dropout(0.5)] if dropout else []),
            ReflectionPad(1),
            nn.Conv2d(channels, channels, 3, bias=needs_bias(norm)),
            norm_layer(norm)(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        if self.recomputed and torch.is_grad_enabled():
            contexts = partial(_twice, self.conv_block)
            return x + checkpoint(self.conv_block, x, use_reentrant=False, context_fn=contexts)  # type: ignore[no-any-return]
        return x + self.conv_block(x)  # type: ignore[no-any-return]


def recompute_blocks(network: nn.Module) -> None:
    """Let all residual blocks in a network take less memory and more time."""
    for module in network.modules():
        if isinstance(module, ResnetBlock):
            module.recomputed = True


def _twice(layers: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Return what the two computations of a block run under: running statistics of batch norms move in the first."""
    return nullcontext(), still_statistics(layers)


class ResnetGenerator(nn.Module):
    """Two halvings, ``blocks`` residual blocks, two doublings."""

    SMALLEST = 5  # pixels a side: with fewer the residual blocks have one point and nothing to reflect

    def __init__(self, input_nc: int, output_nc: int, *, ngf: int, blocks: int, norm: str, dropout: bool) -> None:
        super().__init__()
        bias = needs_bias(norm)
        layers: list[nn.Module] = [
            ReflectionPad(3),
            nn.Conv2d(input_nc, ngf, 7, bias=bias),
            norm_layer(norm)(ngf),
            nn.ReLU(inplace=True),
        ]
        for c in (ngf, 2 * ngf):
            layers += [
                nn.Conv2d(c, 2 * c, 3, stride=2, padding=1, bias=bias),
                norm_layer(norm)(2 * c),
                nn.ReLU(inplace=True),
            ]
        layers += [ResnetBlock(4 * ngf, norm=norm, dropout=dropout) for _ in range(blocks)]
        for c in (4 * ngf, 2 * ngf):
            layers += [
                nn.ConvTranspose2d(c, c // 2, 3, stride=2, padding=1, output_padding=1, bias=bias),
                norm_layer(norm)(c // 2),
                nn.ReLU(inplace=True),
            ]
        layers += [ReflectionPad(3), nn.Conv2d(ngf, output_nc, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Translate N x input_nc x H x W in [-1, 1] to N x output_nc x H x W.

        The layers round H and W up to multiples of 4; the surplus at the bottom and the right is cut off.
        """
        enough = padded(x, 1, self.SMALLEST)
        height, width = enough.shape[2:]
        return cut(self.model(enough)[:, :, :height, :width], x)
