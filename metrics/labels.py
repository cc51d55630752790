"""Accuracy of classes: of translated label maps, or of what a segmenter finds in translated photos (Isola et al. 2017).

Over all pixels of all images: the share that is right; that share class by class; and the intersection of what is a
class and what is found as it, over their union (Long et al. 2015). The two means by class are over those that occur in
the real label maps. Pixels that are void there do not count.
"""

from types import MappingProxyType
from typing import ClassVar

import torch
from torch import Tensor

from metrics.base import METRICS, Need, PairMetric, Score
from metrics.images import in_color
from metrics.palette import Palette, load_palette
from metrics.segmenter import Segmenter
from metrics.weights import sha256_of
from options.evaluation import EvaluationSettings


@METRICS.register("labels")
class LabelMaps(PairMetric):
    """Compares label maps by the nearest colour of the palette.

    Raises:
        UserError: there is no palette.
    """

    needs: ClassVar[Need] = "pairs"
    scores = MappingProxyType(
        {"per_pixel_accuracy": "higher", "per_class_accuracy": "higher", "class_iou": "higher"}
    )  # in the order of ``class_scores``
    reads_files = True

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        super().__init__(settings, device)
        self.palette: Palette = load_palette(settings.palette)

    def found(self, fake: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the classes in translations, N x height x width."""
        return self.palette.numbers(fake)

    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return each image's confusion matrix, N x (K + 1) x (K + 1): real class, found class; the last is void."""
        from torchmetrics.functional.classification import multiclass_confusion_matrix

        found, true = self.found(fake, (real.shape[2], real.shape[3])), self.palette.numbers(real)
        number = len(self.palette.classes) + 1
        pairs = zip(found.cpu(), true.cpu(), strict=True)
        return torch.stack([multiclass_confusion_matrix(a, b, number, validate_args=False) for a, b in pairs])

    def summary(self, rows: Tensor) -> dict[str, Score]:
        """Return the three scores of all pixels of all images."""
        return self.named(*class_scores(rows.sum(0)))

    def per_image(self, rows: Tensor) -> Tensor:
        """Return the share of each image's pixels that is right; NaN where all are void."""
        rows = rows[:, :-1]
        return rows.diagonal(dim1=1, dim2=2).sum(1) / rows.sum((1, 2))

    def about(self) -> dict[str, object]:
        """Return the palette."""
        return {"palette": self.palette.source, "classes": len(self.palette.classes)}


def class_scores(confusion: Tensor) -> tuple[float, float, float]:
    """Return per-pixel accuracy, per-class accuracy and class IoU of (K + 1) x (K + 1); NaN where no pixel counts."""
    counted = confusion[:-1].double()  # pixels that are void in truth do not count
    right, true, found = counted.diagonal(), counted.sum(1), counted.sum(0)[:-1]
    occurs = true > 0
    by_class = (right / true)[occurs]
    iou = (right / (true + found - right))[occurs]
    return float(right.sum() / true.sum()), float(by_class.mean()), float(iou.mean())


@METRICS.register("segmented")
class SegmentedPhotos(LabelMaps):
    """Compares what a segmenter finds in translated photos with the real label maps.

    Raises:
        UserError: there is no palette or no segmenter.
    """

    needs: ClassVar[Need] = "labelled"
    same_size = False
    scores = MappingProxyType({f"segmented_{name}": better for name, better in LabelMaps.scores.items()})

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        super().__init__(settings, device)
        self.segmenter = Segmenter(settings.segmenter, len(self.palette.classes), device)

    def found(self, fake: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the classes in photos, N x height x width."""
        return self.segmenter.numbers(in_color(fake, "segmented"), size)

    def about(self) -> dict[str, object]:
        """Return the palette and the segmenter's file."""
        path = self.segmenter.path
        return {**super().about(), "segmenter": {"file": path.name, "sha256": sha256_of(path)}}
