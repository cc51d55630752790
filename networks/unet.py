"""The U-Net generator of pix2pix (Isola et al. 2017, appendix 6.1.1; after Ronneberger et al. 2015).

Built from the inside out, each block around the next smaller one, because the official
``state_dict`` keys are nested that way: ``model.model.1.model.3.model. ...``.
"""

import torch
from torch import Tensor, nn

from networks.any_size import AnySizeGenerator
from networks.norm import needs_bias, norm_layer
from networks.upsampling import doubling


def _down(c_in: int, c_out: int, bias: bool) -> nn.Module:
    return nn.Conv2d(c_in, c_out, 4, stride=2, padding=1, bias=bias)


class SkipBlock(nn.Module):
    """Halve, go through the inner block, double, and concatenate with the input."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return N x (C + C_up) x H x W."""
        return torch.cat([x, self.model(x)], 1)


class OuterBlock(SkipBlock):
    """The outermost block, which has no skip."""

    def forward(self, x: Tensor) -> Tensor:
        """Translate N x input_nc x H x W to N x output_nc x H x W."""
        return self.model(x)  # type: ignore[no-any-return]


class UnetGenerator(AnySizeGenerator):
    """``num_downs`` halvings, so that an image of side ``2 ** num_downs`` becomes one point.

    Args:
        upsampling: see ``networks.upsampling``.
    """

    rounds_up = False

    def __init__(
        self, input_nc: int, output_nc: int, *, ngf: int, num_downs: int, norm: str, dropout: bool, upsampling: str
    ) -> None:
        super().__init__()
        bias, make_norm = needs_bias(norm), norm_layer(norm)

        def up(c_in: int, c_out: int, bias: bool = bias) -> nn.Module:
            return doubling(upsampling, c_in, c_out, taps=4, bias=bias)

        def around(inner: nn.Module, c_out: int, c_in: int, drop: bool = False) -> SkipBlock:
            return SkipBlock(
                nn.LeakyReLU(0.2),
                _down(c_out, c_in, bias),
                make_norm(c_in),
                inner,
                nn.ReLU(),
                up(2 * c_in, c_out),
                make_norm(c_out),
                *([nn.Dropout(0.5)] if drop else []),
            )

        widest = 8 * ngf
        block = SkipBlock(
            nn.LeakyReLU(0.2),
            _down(widest, widest, bias),
            nn.ReLU(),
            doubling("transposed", widest, widest, taps=4, bias=bias),  # resized, a point becomes a flat map
            make_norm(widest),
        )
        for _ in range(num_downs - 5):
            block = around(block, widest, widest, drop=dropout)
        for c in (4 * ngf, 2 * ngf, ngf):
            block = around(block, c, 2 * c)
        self.multiple = 2**num_downs
        self.model = OuterBlock(_down(input_nc, ngf, bias), block, nn.ReLU(), up(2 * ngf, output_nc, True), nn.Tanh())
