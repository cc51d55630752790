"""``loss_log.txt``: the official loss lines, appended run after run."""

import time
from pathlib import Path

from util.files import LineWriter
from util.sinks.base import RunSoFar, Sink
from util.sinks.console import loss_line
from util.sinks.events import Scalars


class LossLogSink(Sink):
    """Append a dated header, then one line per report."""

    def __init__(self, path: Path) -> None:
        self._writer = LineWriter(path)
        self._writer.write(f"================ Training Loss ({time.strftime('%c')}) ================")

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink:
        """Open it in the run's folder."""
        return cls(run.folder / "loss_log.txt")

    def scalars(self, event: Scalars) -> None:
        """Append the loss line."""
        self._writer.write(loss_line(event))
