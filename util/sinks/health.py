"""Health signals in the log, for those who watch no dashboard."""

import logging

from util.curves.health import Health
from util.sinks.base import RunSoFar, Sink
from util.sinks.events import Scalars, Scores

log = logging.getLogger(__name__)

IMAGES_BETWEEN = 200  # two looks


class HealthSink(Sink):
    """Warn when something becomes conspicuous, once for each kind."""

    def __init__(self, health: Health) -> None:
        """Go on from ``health``, which belongs to the sink from now on; what it says already is not said again."""
        self._health = health
        self._said = {signal.kind for signal in health.signals()}
        self._looked_at = 0  # images seen

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink:
        """Go on from what was told so far."""
        return cls(run.health())

    def scalars(self, event: Scalars) -> None:
        """Take a report into account, and look from time to time."""
        self._health.add(event)
        if event.images_seen - self._looked_at < IMAGES_BETWEEN:
            return
        self._looked_at = event.images_seen
        for signal in self._health.signals():
            if signal.kind not in self._said:
                log.warning("%s", signal.sentence)
                self._said.add(signal.kind)

    def scores(self, event: Scores) -> None:
        """Take held-out scores into account."""
        self._health.add(event)
