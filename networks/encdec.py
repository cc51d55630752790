"""The encoder-decoder of pix2pix: its U-Net without the skips (Isola et al. 2017, section 3.2.1 and appendix 6.1.1)."""

from torch import Tensor, nn

from networks.any_size import cut, padded
from networks.norm import needs_bias, norm_layer


class EncoderDecoder(nn.Module):
    """``num_downs`` halvings, so that an image of side ``2 ** num_downs`` becomes one point, and as many doublings."""

    def __init__(self, input_nc: int, output_nc: int, *, ngf: int, num_downs: int, norm: str, dropout: bool) -> None:
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
            layers += [
                nn.ReLU(),
                nn.ConvTranspose2d(widths[k], widths[k - 1], 4, stride=2, padding=1, bias=bias),
                make_norm(widths[k - 1]),
                *([nn.Dropout(0.5)] if dropout and k > 4 else []),  # CD512 CD512 CD512 C512 ... for 256 pixels
            ]
        layers += [nn.ReLU(), nn.ConvTranspose2d(ngf, output_nc, 4, stride=2, padding=1), nn.Tanh()]
        self.multiple = 2**num_downs
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Translate N x input_nc x H x W in [-1, 1] to N x output_nc x H x W.

        Where H and W are no multiples of 2 ** num_downs, the image is reflected at its edges until they are.
        """
        return cut(self.model(padded(x, self.multiple)), x)
