"""A run's curves in bounded memory: however long it lasts, no curve has more than ``LIMIT`` points.

Everything that draws (page, dashboard, plots) draws from this. It draws nothing itself.
"""

import copy
import math
from collections import deque
from collections.abc import Iterable, Mapping

from util.sinks.events import GIBIBYTE, Event, Scalars, Scores

LIMIT = 1000  # points of a curve; even
NEWEST = 20  # reports


class Curve:
    """One number over the epochs. A point stands for a bucket of reports, of 1, 2, 4 ... as the run gets longer.

    Buckets are counted from the start, so points drop out but never move and a redrawn curve does not flicker.

    Attributes:
        x: epochs done at the last report of each bucket.
        y: its value there; NaN where it was missing or not finite.
        mean: the mean of the bucket's finite values, or NaN.
    """

    def __init__(self) -> None:
        self.x: list[float] = []
        self.y: list[float] = []
        self.mean: list[float] = []
        self._finite: list[int] = []  # reports behind each mean
        self._size = 1  # reports in a full bucket
        self._filled = 0  # reports in the last one

    def add(self, x: float, y: float) -> None:
        """Append a report; one at an ``x`` that is not finite is left out."""
        if not math.isfinite(x):
            return
        y = y if math.isfinite(y) else math.nan
        if not self.x or self._filled == self._size:
            if len(self.x) == LIMIT:
                self._halve()
            self.x.append(x)
            self.y.append(y)
            self.mean.append(y)
            self._finite.append(int(y == y))
            self._filled = 1
            return
        self._filled += 1
        self.x[-1], self.y[-1] = x, y
        if y == y:
            self.mean[-1] = _joint_mean(self.mean[-1], self._finite[-1], y, 1)
            self._finite[-1] += 1

    def copy(self) -> "Curve":
        """Return a curve that later reports do not change."""
        other = copy.copy(self)
        other.x, other.y, other.mean, other._finite = self.x[:], self.y[:], self.mean[:], self._finite[:]
        return other

    def _halve(self) -> None:
        """Join every two buckets."""
        self.x, self.y = self.x[1::2], self.y[1::2]
        halves = zip(self.mean[::2], self._finite[::2], self.mean[1::2], self._finite[1::2], strict=True)
        self.mean = [_joint_mean(*pair) for pair in halves]
        self._finite = [a + b for a, b in zip(self._finite[::2], self._finite[1::2], strict=True)]
        self._size *= 2


def _joint_mean(a: float, a_count: int, b: float, b_count: int) -> float:
    """Return the mean of two groups from the mean of each; NaN goes with a count of 0."""
    if not a_count or not b_count:
        return a if a_count else b
    return a + (b - a) * b_count / (a_count + b_count)


class History:
    """All curves of a run.

    Attributes:
        losses, accuracies (shares), scores: by name, in order of first appearance.
        learning_rate, seconds (per image), waiting (share of the time), memory (GiB).
        newest: seconds per image of the last ``NEWEST`` reports.
        last: the newest report, if there is one.
        reports: how many there were.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.losses: dict[str, Curve] = {}
        self.accuracies: dict[str, Curve] = {}
        self.scores: dict[str, Curve] = {}
        self.learning_rate, self.seconds, self.waiting, self.memory = Curve(), Curve(), Curve(), Curve()
        self.newest: deque[float] = deque(maxlen=NEWEST)
        self.last: Scalars | None = None
        self.reports = 0
        for event in events:
            self.add(event)

    @property
    def images_per_second(self) -> Curve:
        """The speed: in each bucket that of all its images."""
        speed = self.seconds.copy()
        speed.y, speed.mean = [1 / y for y in speed.y], [1 / y for y in speed.mean]
        return speed

    def copy(self) -> "History":
        """Return a history that later events do not change."""
        other = copy.copy(self)
        other.losses, other.accuracies, other.scores = (
            {name: curve.copy() for name, curve in curves.items()}
            for curves in (self.losses, self.accuracies, self.scores)
        )
        other.learning_rate, other.seconds = self.learning_rate.copy(), self.seconds.copy()
        other.waiting, other.memory = self.waiting.copy(), self.memory.copy()
        other.newest = self.newest.copy()
        return other

    def add(self, event: Event) -> None:
        """Append what was told."""
        if isinstance(event, Scores):
            for name, value in event.scores.items():  # each is measured in its own time
                self.scores.setdefault(name, Curve()).add(event.position, value)
            return
        x = event.position
        _add_all(self.losses, x, event.losses)
        _add_all(self.accuracies, x, event.accuracies)
        self.learning_rate.add(x, event.learning_rate)
        known = event.seconds > 0
        self.seconds.add(x, event.seconds if known else math.nan)
        self.waiting.add(x, event.data_seconds / event.seconds if known else math.nan)
        if known:
            self.newest.append(event.seconds)
        self.memory.add(x, event.memory / GIBIBYTE or math.nan)
        self.last = event
        self.reports += 1


def _add_all(curves: dict[str, Curve], x: float, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        curves.setdefault(name, Curve()).add(x, value)
    for name, curve in curves.items():
        if name not in values:
            curve.add(x, math.nan)
