"""What an evaluation leaves: a table to read, a file for programs, an image of the best and the worst cases."""

import json
import logging
from collections.abc import Callable, Mapping
from itertools import zip_longest
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

from metrics.base import METRICS
from metrics.report import Report
from options.errors import UserError
from util.files import whole_file
from util.images import ImageArray, jpeg
from util.run_folder import make_folder
from util.sheet import sheet

log = logging.getLogger(__name__)

METRICS_JSON = "metrics.json"
SHOWN = 4  # best cases, and as many worst ones


class Evaluated(NamedTuple):
    """The reports of one evaluation.

    Attributes:
        about: what was evaluated: run, epoch, data ...
        reports: by generator; by "" where images of a folder were measured.
        images: returns, by label, the images of a case: a generator and the name of an image.
    """

    about: dict[str, Any]
    reports: Mapping[str, Report]
    images: Callable[[str, str], Mapping[str, ImageArray]]

    def as_json(self) -> dict[str, Any]:
        """Return everything as plain values; with several generators their names end those of the scores."""
        plain = {generator: report.as_json() for generator, report in self.reports.items()}
        if len(plain) == 1:
            return {"about": self.about} | next(iter(plain.values()))
        scores = {f"{name}_{g}": score for g, one in plain.items() for name, score in one["scores"].items()}
        return {"about": self.about, "scores": scores, "generators": plain}

    def table(self) -> str:
        """Return the scores as text, those of each generator below its name, with what they depend on."""
        parts = []
        for generator, report in self.reports.items():
            title = [f"Generator {generator}"] if len(self.reports) > 1 else []
            warnings = [f"note: {warning}" for warning in report.warnings]
            parts.append("\n".join([*title, report.table(), *warnings]))
        return "\n\n".join(parts)

    def save(self, path: Path) -> list[Path]:
        """Write the JSON file and, beside it, an image of the best and worst cases; return their paths.

        Where no metric has a score for a single image there is no image.

        Raises:
            OSError: the JSON file cannot be written.
            UserError: the image cannot; the JSON file is there.
        """
        make_folder(path.parent)
        with whole_file(path) as file:
            file.write((json.dumps(self.as_json(), indent=1) + "\n").encode())
        beside = path.with_name(f"{path.stem}_best_and_worst.jpg")
        try:
            shown = self.best_and_worst()
            if shown is None:
                return [path]
            with whole_file(beside) as file:
                file.write(jpeg(shown))
        except (OSError, UserError) as error:
            reason = (isinstance(error, OSError) and error.strerror) or error
            raise UserError(f"there is no {beside} ({reason}); the scores are in {path}") from error
        return [path, beside]

    def report(self, path: Path) -> None:
        """Show the scores and write them, as ``save`` does."""
        log.info("%s", self.table())
        log.info("written: %s", ", ".join(map(str, self.save(path))))

    def best_and_worst(self) -> ImageArray | None:
        """Return a sheet of cases, the best of each generator first, by its first metric that judges single images."""
        rows: list[Mapping[str, ImageArray]] = []
        for generator, report in self.reports.items():
            for metric, values in list(report.per_image.items())[:1]:
                better = next(iter(METRICS[metric].scores.values()))
                names = sorted(values, key=values.__getitem__, reverse=better == "higher")
                count = min(SHOWN, (len(names) + 1) // 2)
                for pair in zip_longest(names[:count], names[count:][-SHOWN:]):
                    row: dict[str, ImageArray] = {}
                    for word, name in zip(("best", "worst"), pair, strict=True):
                        row |= self._row(generator, name, f"{word}: {metric} {values[name]:.4g}") if name else {}
                    rows += [row] if row else []
        if not rows:
            return None
        return sheet(rows, f"the best and the worst of {' '.join(str(value) for value in self.about.values())}")

    def _row(self, generator: str, name: str, title: str) -> dict[str, ImageArray]:
        """Return the images of a case, each under a label of its own; the first bears the title."""
        images = list(self.images(generator, name).items())
        labels = [title, *(f"{label} of {PurePosixPath(name).name[:20]}" for label, _ in images[1:])]
        return {label: image for label, (_, image) in zip(labels[: len(images)], images, strict=True)}
