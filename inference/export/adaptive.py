"""The layers of ``networks.adalin`` as every exporter knows them; rho is a number that does not change any more."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from networks.adalin import AdaptiveBlock, AdaptiveBlocks, Attention
from networks.blended_norm import LIN, normalised


class PlainLIN(nn.Module):
    """A blended norm with a scale and a shift of its own."""

    rho: Tensor

    def __init__(self, norm: LIN) -> None:
        super().__init__()
        self.register_buffer("rho", norm.share())
        self.gamma, self.beta = norm.gamma, norm.beta

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N x C x H x W."""
        return normalised(x, self.rho, self.gamma, self.beta)


class PlainBlock(nn.Module):
    """A residual block with AdaLIN."""

    first_rho: Tensor
    second_rho: Tensor

    def __init__(self, block: AdaptiveBlock) -> None:
        super().__init__()
        self.first, self.second = block.first, block.second
        self.register_buffer("first_rho", block.first_norm.share())
        self.register_buffer("second_rho", block.second_norm.share())

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Return the same shape."""
        y = normalised(self.first(x), self.first_rho, gamma, beta)
        return x + normalised(self.second(y), self.second_rho, gamma, beta)


class PlainBlocks(nn.Module):
    """Blocks that share one scale and one shift, made of what comes to the first."""

    def __init__(self, layers: AdaptiveBlocks) -> None:
        super().__init__()
        self.style = layers.style
        self.blocks = nn.ModuleList(PlainBlock(block) for block in layers.blocks)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        gamma, beta = self.style(x.mean([2, 3]))
        for block in self.blocks:
            x = block(x, gamma, beta)
        return x


class PlainAttention(nn.Module):
    """Weigh the channels in two ways and make as many of both as there were."""

    weights: Tensor

    def __init__(self, layer: Attention) -> None:
        super().__init__()
        self.register_buffer("weights", torch.stack(layer.weights()))
        self.join = layer.join

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        made: Tensor = self.join(torch.cat([x * self.weights[0], x * self.weights[1]], 1))
        return made.relu()


PLAIN: dict[type[nn.Module], Callable[..., nn.Module]] = {
    LIN: PlainLIN,
    AdaptiveBlocks: PlainBlocks,
    Attention: PlainAttention,
}
