"""Compare a set of translations with a set of real images: each image is looked at once for all metrics."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from metrics.base import Description, Score, SetMetric
from metrics.exact import exact
from metrics.images import checked
from metrics.statistics_cache import cache_file, cache_folder, keep_rows, kept_rows
from options.errors import UserError
from options.evaluation import EvaluationSettings

Rows = dict[type[Description], list[Tensor]]  # batches of rows


class SetComparison:
    """Both sets, as rows of numbers on the CPU.

    Raises:
        UserError: weights are missing.
    """

    def __init__(self, metrics: Mapping[str, SetMetric], settings: EvaluationSettings, device: torch.device) -> None:
        self.metrics, self.device = metrics, device
        self.folder = cache_folder(settings.statistics_cache)
        wanted = dict.fromkeys(metric.description for metric in metrics.values())
        self.descriptions: dict[type[Description], Description] = {kind: kind(settings, device) for kind in wanted}
        self._real: Rows = {kind: [] for kind in wanted}
        self.start_over()

    def start_over(self) -> None:
        """Forget the translations, not the real images."""
        self._fake: Rows = {kind: [] for kind in self.descriptions}

    def add_fake(self, images: Tensor) -> None:
        """Add translations, N x C x H x W in [0, 1]."""
        self._describe(images, self._fake)

    def add_real(self, images: Tensor) -> None:
        """Add real images, N x C x H x W in [0, 1]."""
        self._describe(images, self._real)

    def real_set(self, files: Sequence[Path], load: Callable[[], Iterable[Tensor]], preparation: str) -> None:
        """Take the real set from the cache, or look at what ``load`` yields and keep it there."""
        paths = {
            kind: cache_file(self.folder, files, f"{description.key}\0{preparation}")
            for kind, description in self.descriptions.items()
            if self.folder is not None
        }
        self._real = {kind: kept_rows(paths[kind]) if kind in paths else [] for kind in self.descriptions}
        missing = {kind: rows for kind, rows in self._real.items() if not rows}
        if not missing:
            return
        for images in load():
            self._describe(images, missing)
        for kind, rows in missing.items():
            if rows and kind in paths:
                keep_rows(torch.cat(rows), paths[kind])

    @property
    def fakes(self) -> int:
        """The number of translations."""
        return _count(self._fake)

    @property
    def reals(self) -> int:
        """The number of real images."""
        return _count(self._real)

    def scores(self) -> dict[str, Score]:
        """Return the scores of all metrics.

        Raises:
            UserError: a set has too few images.
        """
        scores: dict[str, Score] = {}
        for name, metric in self.metrics.items():
            for count, what in ((self.fakes, "translations"), (self.reals, "real images")):
                if count < metric.fewest:
                    raise UserError(f"{name} needs at least {metric.fewest} {what}, and {count} came; give more images")
            fake, real = (torch.cat(rows[metric.description]) for rows in (self._fake, self._real))
            with exact(fake.device):
                scores |= metric.compare(fake, real)
        return scores

    def about(self) -> dict[str, object]:
        """Return what the scores depend on besides the images."""
        described = {key: value for one in self.descriptions.values() for key, value in one.about().items()}
        return described | {key: value for metric in self.metrics.values() for key, value in metric.about().items()}

    def warnings(self) -> list[str]:
        """Return what to beware of with so few images."""
        return [text for metric in self.metrics.values() for text in metric.warnings(self.fakes, self.reals)]

    def _describe(self, images: Tensor, rows: Rows) -> None:
        images = checked(images)
        with exact(self.device):
            for kind in rows:
                rows[kind].append(self.descriptions[kind](images))


def _count(rows: Rows) -> int:
    return sum(len(batch) for batch in next(iter(rows.values()), []))
