"""Evaluate translations: feed images, ask for the report. Reading files and running generators is left to others."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

from metrics.base import METRICS, Better, Metric, Need, PairMetric, SetMetric
from metrics.images import pixels_of
from metrics.pair_comparison import PairComparison
from metrics.report import Report
from metrics.set_comparison import SetComparison
from options.errors import UserError
from options.evaluation import EvaluationSettings


class Evaluation:
    """The scores of translations. The same images give the same scores, in batches of any size.

    All images are N x C x H x W in [0, 1]; those of sets, label maps and LPIPS have 1 or 3 channels. What no metric
    needs may be fed, and is ignored.

    Args:
        names: of the table ``METRICS``.

    Raises:
        UserError: a name is unknown, or what a metric needs, such as weights, is missing.
    """

    def __init__(self, names: Sequence[str], settings: EvaluationSettings, device: torch.device) -> None:
        if not names:
            raise UserError(f"no metric is named; known: {', '.join(METRICS)}")
        kinds = {name: METRICS[name] for name in names}
        self.metrics: dict[str, Metric] = {name: kind(settings, device) for name, kind in kinds.items()}
        sets = {name: metric for name, metric in self.metrics.items() if isinstance(metric, SetMetric)}
        pairs = {name: metric for name, metric in self.metrics.items() if isinstance(metric, PairMetric)}
        self._sets = SetComparison(sets, settings, device)
        self._pairs = PairComparison(pairs, device, alone=not sets)
        self._sizes: Counter[str] = Counter()

    @property
    def needs(self) -> frozenset[Need]:
        """What must be fed: ``sets``, ``pairs``, ``labelled``, ``cycles``."""
        return frozenset(metric.needs for metric in self.metrics.values())

    @property
    def scores(self) -> dict[str, Better]:
        """The names of all scores to come, and which way each is better."""
        return {name: better for metric in self.metrics.values() for name, better in metric.scores.items()}

    @property
    def left_out(self) -> dict[str, str]:
        """The metrics that the images so far are too small for, with a sentence each."""
        return dict(self._pairs.left_out)

    @property
    def fewest(self) -> int:
        """How many images each of the two sets must have."""
        return max((metric.fewest for metric in self._sets.metrics.values()), default=1)

    def start_over(self) -> None:
        """Forget the translations and keep the real set, for the next ones."""
        self._sets.start_over()
        self._pairs.start_over()
        self._sizes.clear()

    def add_fake(self, images: Tensor, names: Sequence[str]) -> None:
        """Add translations to the set that is compared with the real one."""
        assert len(images) == len(names)
        self._sets.add_fake(images)
        self._saw(images, "sets")

    def add_real(self, images: Tensor) -> None:
        """Add to the real set; batches may differ in size."""
        self._sets.add_real(images)

    def real_set(self, files: Sequence[Path], load: Callable[[], Iterable[Tensor]], *, preparation: str = "") -> None:
        """Take the real set from the cache, or compute it and keep it there.

        Args:
            files: that the set is made of; a change of any makes it another set.
            load: yields its images as ``add_real`` takes them; called only if something is not in the cache.
            preparation: names what happens to the files before they are images, such as a size.

        Raises:
            UserError: a file is not there.
        """
        self._sets.real_set(files, load, preparation)

    def add_pairs(self, fake: Tensor, real: Tensor, names: Sequence[str]) -> None:
        """Add translations and what each should be, of the same shape.

        Args:
            names: of the images, each its own.

        Raises:
            UserError: the shapes differ, or the images are too small for the only metric.
        """
        self._pairs.add("pairs", fake, real, names)
        self._saw(fake, "pairs")

    def add_labelled(self, fake: Tensor, label_map: Tensor, names: Sequence[str]) -> None:
        """Add translated photos and the real label maps of what they show; sizes may differ.

        Raises:
            UserError: the segmenter cannot take the photos.
        """
        self._pairs.add("labelled", fake, label_map, names)
        self._saw(fake, "labelled")

    def add_cycles(self, rec: Tensor, real: Tensor, names: Sequence[str]) -> None:
        """Add images that came back from a cycle and the ones that were sent, of the same shape.

        Raises:
            UserError: the shapes differ.
        """
        self._pairs.add("cycles", rec, real, names)
        self._saw(rec, "cycles")

    def report(self) -> Report:
        """Return the scores of all that was fed.

        Raises:
            UserError: what a metric needs was not fed, or too little of it.
        """
        warnings = [*self._sets.warnings(), *self.left_out.values()]
        computed = {**self._sets.scores(), **self._pairs.scores()}
        scores = {name: computed[name] for name in self.scores if name in computed}  # in the order asked for
        return Report(scores, self._pairs.per_image(), self._evaluator(), warnings)

    def _saw(self, images: Tensor, need: Need) -> None:
        if need in self.needs:
            self._sizes[f"{need} {pixels_of(images)}"] += len(images)

    def _evaluator(self) -> dict[str, object]:
        counts: dict[str, int] = self._pairs.counts()
        if self._sets.metrics:
            counts |= {"fake": self._sets.fakes, "real": self._sets.reals}
        return {
            "torch": torch.__version__,
            "torchmetrics": version("torchmetrics"),
            "images": counts,
            "image_sizes": dict(self._sizes),
            **self._sets.about(),
            **self._pairs.about(),
        }
