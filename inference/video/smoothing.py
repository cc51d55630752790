"""Calm what flickers: a recursive filter over time that lets go where something moves.

A network translates every frame by itself, so that noise too weak to be seen in the video comes out as a flicker of the
translation. Let x be the video, f its translation frame by frame and y the result:

    y_t = f_t + w (y_{t-1} - f_t),    w = smooth * exp(-blur(|x_t - x_{t-1}|) / sigma)

The weight is that of one pixel. Where the video stands still, y is an average over about 1 / (1 - smooth) frames; where
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
    """Filters one video; frames come in order.

    Args:
        smooth: from 0 to 1.
    """

    def __init__(self, smooth: float) -> None:
        self._smooth = smooth
        self._video: Levels | None = None  # the frame before
        self._result: Tensor | None = None  # float32: rounding would hold on to it

    def __call__(self, frame: Levels, translation: Levels) -> Levels:
        """Return the translation of the next frame, calmed; same type and shape.

        Args:
            frame: H x W x C, uint8 or uint16.
            translation: H x W x D, likewise.
        """
        weight = self._weight(frame)
        self._video, before = frame, self._result
        self._result = torch.from_numpy(translation.astype(np.float32))
        if weight is None or before is None:
            return translation
        self._result.lerp_(before, weight[:, :, None])
        made: Levels = self._result.round().numpy().astype(translation.dtype)
        return made

    def _weight(self, frame: Levels) -> Tensor | None:
        """Return how much of the result before stays, H x W; None at the beginning of a scene."""
        if self._video is None or self._video.shape != frame.shape:
            return None
        signed = np.int16 if frame.dtype == np.uint8 else np.int32
        change = np.abs(frame.astype(signed) - self._video).sum(2, dtype=np.float32)
        change /= frame.shape[2] * np.iinfo(frame.dtype).max
        if change.mean() > CUT:
            return None
        return torch.exp_(_blurred(torch.from_numpy(change)).mul_(-1 / SIGMA)).mul_(self._smooth)


def _blurred(image: Tensor) -> Tensor:
    """Average H x W over squares, which end at the edges."""
    rows = F.avg_pool2d(image[None], (1, TAPS), 1, (0, TAPS // 2), count_include_pad=False)
    return F.avg_pool2d(rows, (TAPS, 1), 1, (TAPS // 2, 0), count_include_pad=False)[0]
