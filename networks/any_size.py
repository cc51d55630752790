"""Images of any size through a generator that wants sides of a certain multiple: padded before, cut after."""

from torch import Tensor, nn

from util.reflection import reflection


def padded(x: Tensor, multiple: int, least: int = 1) -> Tensor:
    """Extend images by reflection, as much on one side as on the other, until both sides fit.

    Args:
        x: N x C x H x W.
        multiple: that height and width must have, in pixels.
        least: height and width at least.

    Returns:
        N x C x H' x W'; ``x`` itself where it fits. A reflection is repeated where the image is too small for it.
    """
    for dim in (2, 3):
        length = x.shape[dim]
        wanted = max(least, -(-length // multiple) * multiple)
        if wanted != length:
            x = x.index_select(dim, reflection(length, wanted, x.device))
    return x


def cut(y: Tensor, like: Tensor) -> Tensor:
    """Take from the middle of N x C x H' x W' what belongs to ``like``, N x C x H x W before it was padded."""
    height, width = like.shape[2:]
    top, left = (y.shape[2] - height) // 2, (y.shape[3] - width) // 2
    return y[:, :, top : top + height, left : left + width]


class AnySizeGenerator(nn.Module):
    """What all generators have in common: layers, called ``model``, and how images of any size get through them.

    Attributes:
        multiple: sides that the layers work on as they are.
        rounds_up: the layers round other sides up to it, and the surplus at the bottom and the right is cut off; else
            images are extended by reflection on all sides, and cut again.
        least: height and width that the layers need; smaller images are extended by reflection.
    """

    multiple = 4
    rounds_up = True
    least = 1
    model: nn.Module

    @property
    def pads_to(self) -> int:
        """The multiple to which images are extended."""
        return 1 if self.rounds_up else self.multiple

    def forward(self, x: Tensor) -> Tensor:
        """Translate N x input_nc x H x W in [-1, 1] to N x output_nc x H x W."""
        enough = padded(x, self.pads_to, self.least)
        y: Tensor = self.model(enough)
        if self.rounds_up:
            y = y[:, :, : enough.shape[2], : enough.shape[3]]
        return cut(y, x)
