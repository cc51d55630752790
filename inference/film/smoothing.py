"""Calm what flickers: a recursive filter over time that lets go where something moves.

A network translates every frame by itself, so that noise too weak to be seen in the film comes out as a flicker of the
translation. Let x be the film, f its translation frame by frame and y the result:

    y_t = f_t + w (y_{t-1} - f_t),    w = smooth * exp(-blur(|x_t - x_{t-1}|) / sigma)

The weight is that of one pixel. Where the film stands still, y is an average over about 1 / (1 - smooth) frames; where
it moves, w is next to nothing and y is f, so nothing smears. Filters of this kind, for noise, are reviewed by Brailean
et al. 1995 (Proceedings of the IEEE 83(9)). There is no estimate of motion: what moves flickers as before.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from util.raster.kinds import Levels

SIGMA = 0.012  # of the range of values: 3 of 255 levels
TAPS = 7  # pixels a side of the blur, which averages noise away
CUT = 0.12  # mean change of a frame that begins a new scene


class Smoother:
    """Filters one film; frames come in order.

    Args:
        smooth: from 0 to 1.
    """

    def __init__(self, smooth: float) -> None:
        self._smooth = smooth
        self._film: Tensor | None = None  # the frame before, H x W x C in [0, 1]
        self._result: Tensor | None = None  # unrounded: rounding would hold on to it

    def __call__(self, frame: Levels, translation: Levels) -> Levels:
        """Return the translation of the next frame, calmed; same type and shape.

        Args:
            frame: H x W x C, uint8 or uint16.
            translation: H x W x D, likewise.
        """
        film, result = _shares(frame), _shares(translation)
        weight = self._weight(film)
        if weight is not None and self._result is not None:
            result = torch.lerp(result, self._result, weight[:, :, None])
        self._film, self._result = film, result
        if weight is None:
            return translation
        made: Levels = (result * np.iinfo(translation.dtype).max).round().numpy().astype(translation.dtype)
        return made

    def _weight(self, film: Tensor) -> Tensor | None:
        """Return how much of the result before stays, H x W; None at the beginning of a scene."""
        if self._film is None or self._film.shape != film.shape:
            return None
        change = (film - self._film).abs().mean(2)
        if float(change.mean()) > CUT:
            return None
        local = F.avg_pool2d(change[None], TAPS, 1, TAPS // 2, count_include_pad=False)[0]
        return self._smooth * torch.exp(-local / SIGMA)


def _shares(levels: Levels) -> Tensor:
    """Return float32 in [0, 1]."""
    return torch.from_numpy(levels.astype(np.float32)) / float(np.iinfo(levels.dtype).max)
