"""Images of any size through a generator that wants sides of a certain multiple: padded before, cut after."""

from torch import Tensor

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
