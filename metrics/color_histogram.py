"""How alike the colours of two sets are: the intersection of their Lab histograms (Isola et al. 2017, figure 7).

The paper does not say how wide its bins are; here L, a and b are rounded to whole numbers, so that gray, a = b = 0,
lies in the middle of a bin. No library has this score.
"""

from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from metrics.base import METRICS, Score, SetMetric
from metrics.images import in_color, levels
from options.evaluation import EvaluationSettings
from util.color import rgb_to_lab

BINS = 256
LOWEST = np.array([0, -128, -128])  # of L, a and b, which reach 100, 98 and 94 in sRGB


class LabHistograms:
    """Counts of each image's pixels, rounded to 8 bits as files are: N x 3 x 256 of L, a and b."""

    key = "lab histogram of whole numbers"

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        """Take what every description is given; it changes nothing here."""

    def __call__(self, images: Tensor) -> Tensor:
        """Return N x 3 x 256 in int64."""
        small = levels(in_color(images, "histogram")).cpu().permute(0, 2, 3, 1).numpy()
        return torch.stack([_counts(image / 255.0) for image in small])

    def about(self) -> dict[str, object]:
        """Return the bins."""
        return {"histogram": "L, a and b rounded to whole numbers; all pixels of a set"}


@METRICS.register("histogram")
class HistogramIntersection(SetMetric):
    """Sums, over the bins, of the smaller share of the pixels: 1 for the same colours, 0 for none in common."""

    description = LabHistograms
    scores = MappingProxyType({"histogram_L": "higher", "histogram_a": "higher", "histogram_b": "higher"})

    def compare(self, fake: Tensor, real: Tensor) -> dict[str, Score]:
        """Return an intersection for each of L, a and b; an image weighs as many pixels as it has."""
        a, b = (counts.double().sum(0) for counts in (fake, real))  # 3 x 256
        common = torch.minimum(a / a.sum(1, keepdim=True), b / b.sum(1, keepdim=True)).sum(1)
        return self.named(*common.tolist())


def _counts(rgb: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Tensor:
    """Count the pixels of H x W x 3 in [0, 1]."""
    bins = (np.rint(rgb_to_lab(rgb)).astype(np.int64) - LOWEST).reshape(-1, 3)
    return torch.from_numpy(np.stack([np.bincount(channel, minlength=BINS) for channel in bins.T]))
