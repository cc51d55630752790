"""``metrics.jsonl``: every report of the training and every score of held-out images, one JSON object per line.

The only complete record of the curves; pages and dashboards are drawn from it.
"""

import itertools
import os
from pathlib import Path

from util.files import LineWriter, whole_file
from util.run_folder import METRICS_FILE
from util.sinks.base import RunSoFar, Sink
from util.sinks.events import Scalars, Scores, read_lines, to_line


class JsonLinesSink(Sink):
    """Append one object per event; on a resume first drop what the resumed run will do again."""

    def __init__(self, path: Path, *, resume_at: int) -> None:
        """Prepare the file.

        Args:
            resume_at: images seen by the checkpoint that is resumed; 0 starts an empty file and puts one that is
                there aside, as ``metrics.1.jsonl`` or the next free number.
        """
        if not resume_at:
            _put_aside(path)
        with whole_file(path) as file:
            for line, event in read_lines(path):
                if event.images_seen <= resume_at:
                    file.write(f"{line.rstrip()}\n".encode())
        self._writer = LineWriter(path)

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink:
        """Open it in the run's folder."""
        return cls(run.folder / METRICS_FILE, resume_at=run.images_seen)

    def scalars(self, event: Scalars) -> None:
        """Append the report."""
        self._writer.write(to_line(event))

    def scores(self, event: Scores) -> None:
        """Append the scores."""
        self._writer.write(to_line(event))


def _put_aside(path: Path) -> None:
    if path.exists() and path.stat().st_size:
        numbers = itertools.count(1)
        free = next(p for n in numbers if not (p := path.with_suffix(f".{n}{path.suffix}")).exists())
        os.replace(path, free)
