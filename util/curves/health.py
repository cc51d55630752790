"""Whether a training looks healthy, in words: the few things that can be told from its numbers.

Every sentence is a hint, not a verdict; the images decide. Nothing here stops a training.
"""

import math
import os
from collections import deque
from statistics import fmean, median
from typing import NamedTuple

from util.curves.history import Curve
from util.sinks.events import Event, Scalars, Scores

WINDOW = 2000  # images that a sentence about the losses looks back
WINS, ONE_SIDED = 0.98, 0.02  # shares of right verdicts
SAME_OUTPUT, SAMPLES_IN_A_ROW = 0.1, 3  # see Scores: 1 is as varied as real images
WAITS = 0.3  # share of the time
FEWEST_REPORTS, MOST_LAPS = 10, 20  # that anything about the speed is said from
SLOW = 2.0  # times the usual seconds per image
PATIENCE_EPOCHS, PATIENCE_SHARE = 10, 0.2  # without a better validation score; the larger of the two


class Signal(NamedTuple):
    """Something conspicuous; ``kind`` stays the same while the scores in the sentence change."""

    kind: str
    sentence: str


class Health:
    """Looks at the newest events of a run; its memory is bounded."""

    def __init__(self, *, num_threads: int) -> None:
        self._num_threads = num_threads
        self._reports: deque[Scalars] = deque()  # of the last WINDOW images
        self._laps: deque[Scalars] = deque(maxlen=MOST_LAPS)  # the newest reports of this process
        self._speed = Curve()  # seconds per image, of this process
        self._varieties: dict[str, deque[float]] = {}
        self._best_at, self._best, self._measured_at = 0.0, math.inf, 0.0  # of the validation; positions in epochs
        self._deciding = ""  # its score

    def begin(self) -> None:
        """Note that a process begins here: how fast an earlier one was, maybe elsewhere, says nothing about it."""
        self._laps.clear()
        self._speed = Curve()

    def add(self, event: Event) -> None:
        """Take an event into account."""
        if isinstance(event, Scores):
            self._add_scores(event)
            return
        self._reports.append(event)
        while len(self._reports) > 2 and self._reports[1].images_seen <= event.images_seen - WINDOW:
            self._reports.popleft()
        self._laps.append(event)
        self._speed.add(event.position, event.seconds)

    def signals(self) -> list[Signal]:
        """Return what is worth a look now, gravest first; nothing if all is well."""
        if not self._reports:
            return []
        return [
            *self._not_finite(),
            *self._discriminators(),
            *self._same_outputs(),
            *self._validation(),
            *self._waiting(),
            *self._slow(),
        ]

    def _add_scores(self, event: Scores) -> None:
        if event.deciding:
            self._measured_at, self._deciding = event.position, event.deciding
            if event.worth < self._best:
                self._best, self._best_at = event.worth, event.position
        for name, value in event.scores.items():
            if name.startswith("variety_") and event.images_seen >= WINDOW:  # every network begins alike
                recent = self._varieties.setdefault(name.removeprefix("variety_"), deque(maxlen=SAMPLES_IN_A_ROW))
                recent.append(value)

    @property
    def _images(self) -> int:
        """How many images the reports at hand span."""
        return self._reports[-1].images_seen - self._reports[0].images_seen

    def _not_finite(self) -> list[Signal]:
        bad = [name for name, value in self._reports[-1].losses.items() if not math.isfinite(value)]
        sentence = f"no number any more: {', '.join(bad)}; lower --lr or choose another --gan_mode"
        return [Signal("not finite", sentence)] if bad else []

    def _discriminators(self) -> list[Signal]:
        if self._images < WINDOW:
            return []
        found = []
        for name in self._reports[-1].accuracies:
            judge, _, kind = name.rpartition("_")
            if kind != "real" or f"{judge}_fake" not in self._reports[-1].accuracies:
                continue
            real, fake = self._mean(name), self._mean(f"{judge}_fake")
            if (real + fake) / 2 > WINS:
                sentence = (
                    f"{judge} has won: its accuracy was over {WINS:.0%} for {self._images:,} images; if the images "
                    "no longer improve, weaken it (--ndf 32, --netD n_layers --n_layers_D 2)"
                )
                found.append(Signal(f"{judge} has won", sentence))
            elif min(real, fake) < ONE_SIDED and max(real, fake) > WINS:
                verdict = "real" if real > fake else "fake"
                sentence = (
                    f"{judge} calls everything {verdict}, for {self._images:,} images: its generator learns nothing "
                    "from it; lower --lr"
                )
                found.append(Signal(f"{judge} is one-sided", sentence))
        return found

    def _mean(self, accuracy: str) -> float:
        return fmean(report.accuracies[accuracy] for report in self._reports if accuracy in report.accuracies)

    def _same_outputs(self) -> list[Signal]:
        same = [
            (name, max(recent))
            for name, recent in self._varieties.items()
            if len(recent) == SAMPLES_IN_A_ROW and all(variety < SAME_OUTPUT for variety in recent)
        ]
        sentence = (
            "{}'s output hardly depends on its input: the samples vary {:.0%} as much as real images do; if this "
            "stays, start again with another --seed, or lower --lr"
        )
        return [Signal(f"{name} is constant", sentence.format(name, variety)) for name, variety in same]

    def _validation(self) -> list[Signal]:
        waited = self._measured_at - self._best_at
        if self._best == math.inf or waited < max(PATIENCE_EPOCHS, PATIENCE_SHARE * self._measured_at):
            return []
        sentence = (
            f"no better {self._deciding} for {waited:.0f} epochs (the best was that after epoch "
            f"{self._best_at:.0f}): best_net_*.pth holds that state, and it may be time to stop"
        )
        return [Signal("validation", sentence)]

    def _waiting(self) -> list[Signal]:
        spent = sum(report.seconds for report in self._laps)
        if len(self._laps) < FEWEST_REPORTS or not spent > 0:
            return []
        share = sum(report.data_seconds for report in self._laps) / spent
        if not share > WAITS:
            return []
        advice = f"raise --num_threads (now {self._num_threads})"
        if self._num_threads >= (os.cpu_count() or 1):
            advice = "the images are too large for this processor or disk; store them at --load_size"
        return [Signal("waiting", f"data loading takes {share:.0%} of the time: {advice}")]

    def _slow(self) -> list[Signal]:
        if len(self._speed.x) < 5 * FEWEST_REPORTS:
            return []
        now, usual = median([report.seconds for report in self._laps][-FEWEST_REPORTS:]), median(self._speed.mean)
        if not now > SLOW * usual > 0:
            return []
        sentence = f"an image takes {now / usual:.1f} times as long as usual: does another program use this machine?"
        return [Signal("slow", sentence)]
