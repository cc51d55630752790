"""The encoder-decoder of pix2pix: its U-Net without the skips (Isola et al. 2017, section 3.2.1 and appendix 6.1.1)."""

from torch import nn

from networks.any_size import AnySizeGenerator
from networks.norm import needs_bias, norm_layer
from networks.upsampling import doubling


class EncoderDecoder(AnySizeGenerator):
    """``num_downs`` halvings, so that an image of side ``2 ** num_downs`` becomes one point, and as many doublings.

    Args:
        upsampling: see ``networks.upsampling``.
    """

    rounds_up = False

    def __init__(
        self, input_nc: int, output_nc: int, *, ngf: int, num_downs: int, norm: str, dropout: bool, upsampling: str
    ) -> None:
        super().__init__()
        bias, make_norm = needs_bias(norm), norm_layer(norm)
        widths = [ngf * min(2**k, 8) for k in range(num_downs)]  # after each halving
        layers: list[nn.Module] = [nn.Conv2d(input_nc, ngf, 4, stride=2, padding=1, bias=bias)]
        for k in range(1, num_downs):
            layers += [
                nn.LeakyReLU(0.2),
                nn.Conv2d(widths[k - 1], widths[k], 4, stride=2, padding=1, bias=bias),
                *([make_norm(widths[k])] if k < num_downs - 1 else []),  # a point has no variance
            ]
        for k in range(num_downs - 1, 0, -1):
            how = upsampling if k < num_downs - 1 else "transposed"  # resized, a point becomes a flat map
            layers += [
                nn.ReLU(),
                doubling(how, widths[k], widths[k - 1], taps=4, bias=bias),
                make_norm(widths[k - 1]),
                *([nn.Dropout(0.5)] if dropout and k > 4 else []),  # CD512 CD512 CD512 C512 ... for 256 pixels
            ]
        layers += [nn.ReLU(), doubling(upsampling, ngf, output_nc, taps=4, bias=True), nn.Tanh()]
        self.multiple = 2**num_downs
        self.model = nn.Sequential(*layers)
