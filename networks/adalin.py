"""The generator of U-GAT-IT (Kim et al. 2020, sections 2.1.1 and 2.2), reduced to what a plain CycleGAN can train.

Its residual blocks blend instance norm and layer norm, with a scale and a shift that are made of the image itself.
Kept: the layers, the attention weights, and the light way to scale and shift, by the average over the map, so that
images may have any size. Left out: the losses that let the attention weights tell the domains apart; here they are
learned with the rest.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks.any_size import AnySizeGenerator
from networks.blended_norm import LIN, AdaLIN
from networks.init import AsBuilt
from networks.norm import norm_layer
from networks.pad import ReflectionPad
from networks.resnet import ResnetBlock, computed_twice
from networks.upsampling import doubling


class Attention(AsBuilt):
    """Weigh the channels in two ways and make as many of both as there were."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.average = nn.Linear(channels, 1, bias=False)  # U-GAT-IT's classifiers of pooled maps: by their average
        self.maximum = nn.Linear(channels, 1, bias=False)  # and by their maximum; their weights weigh the channels
        self.join = nn.Conv2d(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape, nothing negative."""
        average, maximum = self.weights()
        return F.relu(self.join(torch.cat([x * average, x * maximum], 1)))

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return both ways to weigh, 1 x C x 1 x 1."""
        return self.average.weight.view(1, -1, 1, 1), self.maximum.weight.view(1, -1, 1, 1)


class Style(AsBuilt):
    """What scales and shifts all AdaLIN layers alike, made of the average over a map (the light way).

    Four linear layers in a row from weights of 0.02 would make a scale so small that the blocks behind it hardly learn.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (nn.Linear(channels, channels, bias=False) for _ in range(2))
        self.hidden = nn.Sequential(first, nn.ReLU(), second, nn.ReLU())
        self.gamma = nn.Linear(channels, channels, bias=False)
        self.beta = nn.Linear(channels, channels, bias=False)

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Return ``gamma`` and ``beta``, N x C x 1 x 1, of averages, N x C."""
        hidden = self.hidden(pooled)
        return self.gamma(hidden)[:, :, None, None], self.beta(hidden)[:, :, None, None]


class AdaptiveBlock(nn.Module):
    """Two padded 3 x 3 convolutions with AdaLIN and a sum, with no activation after it.

    Attributes:
        recomputed: as of a ``ResnetBlock``.
    """

    recomputed = False

    def __init__(self, channels: int, *, dropout: bool) -> None:
        super().__init__()
        self.first = nn.Sequential(ReflectionPad(1), nn.Conv2d(channels, channels, 3, bias=False))
        self.first_norm = AdaLIN(channels)
        self.second = nn.Sequential(
            nn.ReLU(inplace=True),
            *([nn.Dropout(0.5)] if dropout else []),
            ReflectionPad(1),
            nn.Conv2d(channels, channels, 3, bias=False),
        )
        self.second_norm = AdaLIN(channels)

    def forward(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Return the same shape."""
        if self.recomputed and torch.is_grad_enabled():
            return x + computed_twice(self, self.residual, x, gamma, beta)
        return x + self.residual(x, gamma, beta)

    def residual(self, x: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        """Return what is added."""
        y: Tensor = self.first_norm(self.first(x), gamma, beta)
        z: Tensor = self.second_norm(self.second(y), gamma, beta)
        return z


class AdaptiveBlocks(nn.Module):
    """Blocks that share one scale and one shift, made of what comes to the first."""

    def __init__(self, channels: int, blocks: int, *, dropout: bool) -> None:
        super().__init__()
        self.style = Style(channels)
        self.blocks = nn.ModuleList(AdaptiveBlock(channels, dropout=dropout) for _ in range(blocks))

    def forward(self, x: Tensor) -> Tensor:
        """Return the same shape."""
        full = x if x.dtype == torch.float64 else x.float()
        gamma, beta = self.style(full.mean([2, 3]))
        for block in self.blocks:
            x = block(x, gamma, beta)
        return x


class AdaLINGenerator(AnySizeGenerator):
    """Two halvings, ``blocks`` residual blocks with instance norm, as many with AdaLIN, two doublings with LIN.

    The paper has 4 of each. Maps are doubled by resizing; ``--norm`` has no say here.
    """

    least = 5  # as of a ResNet

    def __init__(self, input_nc: int, output_nc: int, *, ngf: int, blocks: int, dropout: bool) -> None:
        super().__init__()
        make_norm = norm_layer("instance")
        layers: list[nn.Module] = [ReflectionPad(3), nn.Conv2d(input_nc, ngf, 7), make_norm(ngf), nn.ReLU(inplace=True)]
        for c in (ngf, 2 * ngf):
            layers += [ReflectionPad(1), nn.Conv2d(c, 2 * c, 3, stride=2), make_norm(2 * c), nn.ReLU(inplace=True)]
        layers += [ResnetBlock(4 * ngf, norm="instance", dropout=dropout) for _ in range(blocks)]
        layers += [Attention(4 * ngf), AdaptiveBlocks(4 * ngf, blocks, dropout=dropout)]
        for c in (4 * ngf, 2 * ngf):
            layers += [doubling("resize", c, c // 2, taps=3, bias=False), LIN(c // 2), nn.ReLU(inplace=True)]
        layers += [ReflectionPad(3), nn.Conv2d(ngf, output_nc, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)
