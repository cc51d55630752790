"""``loss_log.txt``: the official loss lines, appended run after run."""

import time
from pathlib import Path

from util.sinks import Sink
from util.sinks.console import loss_line
from util.sinks.events import Scalars
from util.sinks.tolerance import LineWriter


class LossLogSink(Sink):
    """Append a dated header, then one line per report."""

    def __init__(self, path: Path) -> None:
        self._writer = LineWriter(path)
        self._writer.write(f"================ Training Loss ({time.strftime('%c')}) ================")

    def scalars(self, event: Scalars) -> None:
        """Append the loss line."""
        self._writer.write(loss_line(event))
