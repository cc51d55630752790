"""Several discriminators, each of which sees the image at half the size of the one before.

Wang et al. 2018 (pix2pixHD, section 3.2): the coarse ones judge what is large, the fine ones details.
"""

from collections.abc import Iterable
from typing import TypeAlias

from torch import Tensor, nn
from torch.nn import functional as F

TAPS = 3  # pixels a side of which the mean is one of the halved image
Verdict: TypeAlias = Tensor | tuple[Tensor, ...]  # logits; where there are several discriminators, those of each


class MultiscaleDiscriminator(nn.Module):
    """Discriminators of one kind with weights of their own; the first sees the image as it is."""

    def __init__(self, judges: Iterable[nn.Module]) -> None:
        super().__init__()
        self.judges = nn.ModuleList(judges)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Judge N x C x H x W; return the logits of each discriminator, that of the full size first."""
        images = [x]
        while len(images) < len(self.judges):
            images.append(halved(images[-1]))
        return tuple(judge(image) for judge, image in zip(self.judges, images, strict=True))


def halved(x: Tensor) -> Tensor:
    """Return N x C x ceil(H / 2) x ceil(W / 2): means of 3 x 3 pixels, at the border of those that there are."""
    return F.avg_pool2d(x, TAPS, stride=2, padding=1, count_include_pad=False)


def scales(verdict: Verdict) -> tuple[Tensor, ...]:
    """Return a verdict's logits by scale."""
    return verdict if isinstance(verdict, tuple) else (verdict,)
