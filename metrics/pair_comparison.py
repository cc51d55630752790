"""Compare images one by one with what they should be, and remember the score of each."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from metrics.base import Need, PairMetric, Score
from metrics.exact import exact
from metrics.images import checked, pixels_of
from options.errors import UserError


class PairComparison:
    """Rows of numbers on the CPU, one for each metric and image.

    Attributes:
        left_out: sentences, one for each metric that the images are too small for.
    """

    def __init__(self, metrics: Mapping[str, PairMetric], device: torch.device, *, alone: bool) -> None:
        """Begin with no images.

        Args:
            alone: whether there are no other metrics, of sets.
        """
        self.metrics, self.device, self.alone = metrics, device, alone
        self.start_over()

    def start_over(self) -> None:
        """Forget all images."""
        self._rows: dict[str, list[Tensor]] = {name: [] for name in self.metrics}
        self._names: dict[Need, list[str]] = {metric.needs: [] for metric in self.metrics.values()}
        self.left_out: dict[str, str] = {}

    def add(self, need: Need, fake: Tensor, real: Tensor, names: Sequence[str]) -> None:
        """Measure images for the metrics that need them; see ``Evaluation``."""
        asked = {name: metric for name, metric in self.metrics.items() if metric.needs == need}
        if not asked:
            return
        assert len(fake) == len(real) == len(names), f"{len(fake)} images, {len(real)} partners, {len(names)} names"
        fake, real = checked(fake).to(self.device), checked(real).to(self.device)
        known = set(self._names[need])
        for name in names:
            if name in known:
                raise UserError(f"two images are called {name}; give each a name of its own")
            known.add(name)
        for name, metric in asked.items():
            if name not in self.left_out and self._fits(name, metric, fake, real):
                with exact(self.device):
                    self._rows[name].append(metric.measure(fake, real).cpu().double())
        self._names[need] += names

    def scores(self) -> dict[str, Score]:
        """Return the scores of all metrics that were not left out.

        Raises:
            UserError: no image came for one of them.
        """
        scores: dict[str, Score] = {}
        for name, metric in self._measured().items():
            scores |= metric.summary(torch.cat(self._rows[name]))
        return scores

    def per_image(self) -> dict[str, dict[str, float]]:
        """Return metric, then image, then value; without images that have none."""
        values = {name: metric.per_image(torch.cat(self._rows[name])) for name, metric in self._measured().items()}
        return {
            name: {
                image: value
                for image, value in zip(self._names[self.metrics[name].needs], numbers.tolist(), strict=True)
                if value == value  # NaN is not
            }
            for name, numbers in values.items()
        }

    def counts(self) -> dict[str, int]:
        """Return how many images came, for each kind that is needed."""
        return {need: len(names) for need, names in self._names.items()}

    def about(self) -> dict[str, object]:
        """Return what the scores depend on besides the images."""
        return {key: value for metric in self.metrics.values() for key, value in metric.about().items()}

    def _measured(self) -> dict[str, PairMetric]:
        measured = {name: metric for name, metric in self.metrics.items() if name not in self.left_out}
        for name, metric in measured.items():
            if not self._rows[name]:
                raise UserError(f"{name} compares {metric.needs} of images, and none came; give some, or leave it out")
        return measured

    def _fits(self, name: str, metric: PairMetric, fake: Tensor, real: Tensor) -> bool:
        """Check sizes; a metric that the images are too small for is left out if others are there."""
        if metric.same_size and fake.shape != real.shape:
            raise UserError(
                f"{name} compares images of one size, but the translation is {_shape(fake)} and its partner "
                f"{_shape(real)}; resize one of them"
            )
        if min(*fake.shape[2:], *real.shape[2:]) >= metric.least_side:
            return True
        reason = (
            f"{name} needs images of at least {metric.least_side}x{metric.least_side} pixels, not {pixels_of(fake)}"
        )
        if self.alone and len(self.left_out) == len(self.metrics) - 1:
            raise UserError(f"{reason}; enlarge them, or ask for another metric")
        self.left_out[name] = f"{reason}: it was left out"
        self._rows[name].clear()
        return False


def _shape(images: Tensor) -> str:
    return f"{pixels_of(images)} with {images.shape[1]} channels"
