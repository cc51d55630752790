"""What a metric is: of two sets of images, or of images one by one against what each should be."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, NamedTuple, Protocol

import torch
from torch import Tensor

from options.evaluation import EvaluationSettings
from util.registry import Registry

Need = Literal["sets", "pairs", "labelled", "cycles"]
Better = Literal["lower", "higher"]


class Score(NamedTuple):
    """A score of a whole evaluation.

    Attributes:
        spread: a standard deviation: over the subsets for KID, over the images where there is a value for each.
    """

    value: float
    spread: float | None
    better: Better


class Metric(ABC):
    """One name of the table.

    Attributes:
        needs: what it compares. ``sets``: the translations against real images of no fixed partner. ``pairs``: each
            against what it should be. ``labelled``: each photo against a real label map. ``cycles``: each image that
            came back against the one that was sent.
        scores: what it yields, and which way is better.
        reads_files: that only the user can give; such a metric is built, and the files read, before hours of training.
    """

    needs: ClassVar[Need]
    scores: ClassVar[Mapping[str, Better]]
    reads_files: ClassVar[bool] = False

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None:
        self.settings, self.device = settings, device

    def about(self) -> dict[str, object]:
        """Return what the scores depend on besides the images and the settings that all share."""
        return {}

    def named(self, *values: float, spread: float | None = None) -> dict[str, Score]:
        """Return values, in the order of ``scores``, by their names."""
        both = zip(self.scores.items(), values, strict=True)
        return {name: Score(value, spread, better) for (name, better), value in both}


class Description(Protocol):
    """Turns images into rows of numbers, which several metrics share and a cache can keep.

    Attributes:
        key: names everything that the rows depend on besides the image.
    """

    key: str

    def __init__(self, settings: EvaluationSettings, device: torch.device) -> None: ...

    def __call__(self, images: Tensor) -> Tensor:
        """Return the rows of N x C x H x W in [0, 1], N x ..., on the CPU."""

    def about(self) -> dict[str, object]:
        """Return what the scores depend on, for the report."""


class SetMetric(Metric):
    """Compares two sets by rows of numbers, one row for each image.

    Attributes:
        description: whose rows.
        fewest: images that each set needs.
    """

    needs = "sets"
    description: ClassVar[type[Description]]
    fewest: ClassVar[int] = 1

    def warnings(self, fakes: int, reals: int) -> list[str]:
        """Return sentences about scores of so few images."""
        return []

    @abstractmethod
    def compare(self, fake: Tensor, real: Tensor) -> dict[str, Score]:
        """Return the scores of two sets of rows, N x ... and M x ..., on the CPU."""


class PairMetric(Metric):
    """Compares images one by one.

    Attributes:
        least_side: pixels that both sides of an image need.
    """

    least_side: ClassVar[int] = 1
    same_size: ClassVar[bool] = True

    @abstractmethod
    def measure(self, fake: Tensor, real: Tensor) -> Tensor:
        """Return a row for each image; both are N x C x H x W in [0, 1], on the metric's device."""

    def summary(self, rows: Tensor) -> dict[str, Score]:
        """Return the scores of all rows, float64; here the mean of a number each."""
        spread = float(rows.std(correction=0)) if bool(rows.isfinite().all()) else None
        return self.named(float(rows.mean()), spread=spread)

    def per_image(self, rows: Tensor) -> Tensor:
        """Return a number for each image, by which the best and the worst are found; NaN where it has none."""
        return rows


METRICS: Registry[type[Metric]] = Registry("metric")
