"""Discriminators that judge patches (Isola et al. 2017, section 3.2.2). They return logits."""

from torch import Tensor, nn

from networks.norm import needs_bias, norm_layer


class PatchDiscriminator(nn.Module):
    """Judge overlapping patches; three layers see 70 x 70 pixels each."""

    def __init__(self, input_nc: int, *, ndf: int, n_layers: int, norm: str) -> None:
        super().__init__()
        bias = needs_bias(norm)
        layers: list[nn.Module] = [nn.Conv2d(input_nc, ndf, 4, stride=2, padding=1), nn.LeakyReLU(0.2, True)]
        widths = [ndf * min(2**k, 8) for k in range(n_layers + 1)]
        for k in range(1, n_layers + 1):
            layers += [
                nn.Conv2d(widths[k - 1], widths[k], 4, stride=2 if k < n_layers else 1, padding=1, bias=bias),
                norm_layer(norm)(widths[k]),
                nn.LeakyReLU(0.2, True),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Judge N x C x H x W; return N x 1 x h x w, one logit a patch."""
        return self.model(x)  # type: ignore[no-any-return]


class PixelDiscriminator(nn.Module):
    """Judge each pixel by itself, with 1 x 1 convolutions."""

    def __init__(self, input_nc: int, *, ndf: int, norm: str) -> None:
        super().__init__()
        bias = needs_bias(norm)
        self.net = nn.Sequential(
            nn.Conv2d(input_nc, ndf, 1),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            norm_layer(norm)(2 * ndf),
            nn.LeakyReLU(0.2, True),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Judge N x C x H x W; return N x 1 x H x W, one logit a pixel."""
        return self.net(x)  # type: ignore[no-any-return]
