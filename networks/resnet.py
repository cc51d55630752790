"""The residual generator of CycleGAN (Zhu et al. 2017, appendix 7.2; after Johnson et al. 2016).

``state_dict`` keys are the official ones: ``model.<i>`` for the trunk, ``model.<i>.conv_block.<j>``
inside a residual block. A layer without parameters still takes an index.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from networks.any_size import AnySizeGenerator
from networks.norm import needs_bias, norm_layer
from networks.pad import ReflectionPad
from networks.statistics import copied_buffers, still_statistics
from networks.upsampling import doubling


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
            return self.skip(x) + computed_twice(self.conv_block, self.conv_block, x)
        return self.skip(x) + self.conv_block(x)  # type: ignore[no-any-return]

    def skip(self, x: Tensor) -> Tensor:
        """Return what the result is added to."""
        return x


def recompute_blocks(network: nn.Module) -> None:
    """Let all residual blocks in a network take less memory and more time."""
    for module in network.modules():
        if hasattr(module, "recomputed"):
            module.recomputed = True  # type: ignore[assignment]  # a plain attribute


def computed_twice(layers: nn.Module, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """Return what a function that uses layers makes of inputs; what is in between is computed again on the way back."""

    def contexts() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        # buffers (statistics of batch norms, vectors of spectral norms) move in the first; both begin with the same
        return nullcontext(), still_statistics(layers, copied_buffers(layers))

    return checkpoint(function, *inputs, use_reentrant=False, context_fn=contexts)  # type: ignore[no-any-return]


class ResnetGenerator(AnySizeGenerator):
    """Two halvings, ``blocks`` residual blocks, two doublings.

    Args:
        upsampling: see ``networks.upsampling``.
    """

    least = 5  # pixels a side: with fewer the residual blocks have one point and nothing to reflect

    def __init__(
        self, input_nc: int, output_nc: int, *, ngf: int, blocks: int, norm: str, dropout: bool, upsampling: str
    ) -> None:
        super().__init__()
        first = nn.Conv2d(input_nc, ngf, 7, bias=needs_bias(norm))
        self.model = nn.Sequential(
            ReflectionPad(3),
            first,
            norm_layer(norm)(ngf),
            nn.ReLU(inplace=True),
            *halvings(ngf, norm),
            *(ResnetBlock(4 * ngf, norm=norm, dropout=dropout) for _ in range(blocks)),
            *doublings(ngf, norm, upsampling),
            ReflectionPad(3),
            nn.Conv2d(ngf, output_nc, 7),
            nn.Tanh(),
        )


def halvings(width: int, norm: str) -> list[nn.Module]:
    """Return what makes a map of N x 4 width x H / 4 x W / 4 of one of N x width x H x W."""
    bias, layers = needs_bias(norm), []
    for c in (width, 2 * width):
        halving = nn.Conv2d(c, 2 * c, 3, stride=2, padding=1, bias=bias)
        layers += [halving, norm_layer(norm)(2 * c), nn.ReLU(inplace=True)]
    return layers


def doublings(width: int, norm: str, upsampling: str) -> list[nn.Module]:
    """Return what makes a map of N x width x H x W of one of N x 4 width x H / 4 x W / 4."""
    bias, layers = needs_bias(norm), []
    for c in (4 * width, 2 * width):
        layers += [doubling(upsampling, c, c // 2, taps=3, bias=bias), norm_layer(norm)(c // 2), nn.ReLU(inplace=True)]
    return layers
