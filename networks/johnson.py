"""The generator of Johnson et al. 2016 (supplementary material, table 1), which CycleGAN's was made of.

Not the training of that paper: no perceptual loss, no total variation, and tanh without a factor of 150. What is
different from ``networks.resnet``: 9 x 9 convolutions at the ends, half the filters, and one reflection at the start in
place of one in front of every convolution; residual blocks get smaller by 4 pixels.
"""

from torch import Tensor, nn

from networks.any_size import AnySizeGenerator
from networks.norm import needs_bias, norm_layer
from networks.pad import ReflectionPad
from networks.resnet import ResnetBlock, doublings, halvings
from options.errors import UserError

LOST = 2  # points of a map on each side that the two convolutions of a block take


class UnpaddedBlock(ResnetBlock):
    """A residual block without padding."""

    def __init__(self, channels: int, *, norm: str, dropout: bool) -> None:
        super().__init__(channels, norm=norm, dropout=dropout)
        self.conv_block = nn.Sequential(*(layer for layer in self.conv_block if not isinstance(layer, ReflectionPad)))

    def skip(self, x: Tensor) -> Tensor:
        """Return the middle of N x C x H x W, N x C x (H - 4) x (W - 4)."""
        return x[:, :, LOST:-LOST, LOST:-LOST]


class JohnsonGenerator(AnySizeGenerator):
    """A reflection, two halvings, ``blocks`` residual blocks that get smaller, two doublings; the paper has 5 blocks.

    Args:
        ngf: twice the filters at full size, so that 64, as everywhere, makes the paper's network of 32, 64 and 128.

    Raises:
        UserError: ``ngf`` is odd.
    """

    def __init__(
        self, input_nc: int, output_nc: int, *, ngf: int, blocks: int, norm: str, dropout: bool, upsampling: str
    ) -> None:
        super().__init__()
        if ngf % 2:
            raise UserError(
                f"--ngf {ngf} is odd, and --netG johnson_{blocks}blocks has half as many filters; pass --ngf {ngf + 1}"
            )
        margin, width = 4 * LOST * blocks, ngf // 2  # what the blocks take at a quarter of the size
        self.least = margin + 1  # pixels a side: with fewer there is not enough to reflect
        first = nn.Conv2d(input_nc, width, 9, padding=4, bias=needs_bias(norm))
        self.model = nn.Sequential(
            ReflectionPad(margin),
            first,
            norm_layer(norm)(width),
            nn.ReLU(inplace=True),
            *halvings(width, norm),
            *(UnpaddedBlock(4 * width, norm=norm, dropout=dropout) for _ in range(blocks)),
            *doublings(width, norm, upsampling),
            nn.Conv2d(width, output_nc, 9, padding=4),
            nn.Tanh(),
        )
