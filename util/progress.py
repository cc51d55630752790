"""Where a run is, when something is due, and how long an image takes."""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class Progress:
    """Counters of a run; everything else (learning rate, data order, randomness) derives from them.

    Attributes:
        epoch: the current epoch, from 1.
        images_seen: images since the start of the run, over all processes.
        seen_in_epoch: the same since the start of the epoch.
        epoch_size: images in one epoch.
        metrics: of every validation the score that decides, lower is better.
        deciding: which score that is, and of which images.
    """

    epoch: int = 1
    images_seen: int = 0
    seen_in_epoch: int = 0
    epoch_size: int = 0
    metrics: list[float] = field(default_factory=list)
    deciding: str = ""

    def advance(self, images: int) -> None:
        """Count a finished step of that many images."""
        self.images_seen += images
        self.seen_in_epoch += images

    def next_epoch(self) -> None:
        """Move to the start of the next epoch."""
        self.epoch += 1
        self.seen_in_epoch = 0

    @property
    def fractional_epoch(self) -> float:
        """Epochs done so far, as a number: 2.5 in the middle of epoch 3."""
        return self.epoch - 1 + self.seen_in_epoch / max(1, self.epoch_size)

    def crossed(self, every: int, images: int) -> bool:
        """Tell whether the last ``images`` images passed a multiple of ``every``.

        Unlike ``images_seen % every == 0`` it fires for every batch size.
        """
        return every > 0 and self.images_seen // every > (self.images_seen - images) // every

    def at_end(self, last_epoch: int) -> bool:
        """Tell whether the last step of the run is done."""
        return self.epoch >= last_epoch and self.epoch_is_over

    @property
    def epoch_is_over(self) -> bool:
        """True when the last step of the epoch is done."""
        return self.seen_in_epoch >= self.epoch_size

    def state_dict(self) -> dict[str, Any]:
        """Return the counters as plain values; the size of the data is not part of them."""
        counters: dict[str, Any] = {"epoch": self.epoch, "images_seen": self.images_seen}
        counters |= {"seen_in_epoch": self.seen_in_epoch, "metrics": self.metrics}
        return counters | ({"deciding": self.deciding} if self.deciding else {})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over counters.

        Raises:
            KeyError: one is missing.
            TypeError: one is no number.
        """
        numbers = [state["epoch"], state["images_seen"], state["seen_in_epoch"]]
        if not all(type(number) is int for number in numbers) or not isinstance(state["metrics"], list):
            raise TypeError(f"{dict(state)} are no counters")
        self.epoch, self.images_seen, self.seen_in_epoch = numbers
        self.metrics = state["metrics"]
        self.deciding = str(state.get("deciding", ""))


class Stopwatch:
    """Seconds per image since the last report: the whole step, and the wait for data in it."""

    def __init__(self) -> None:
        self._restart()

    def _restart(self) -> None:
        self._start = time.perf_counter()
        self._waited = 0.0
        self._images = 0

    def waits(self, batches: Iterable[T]) -> Iterator[T]:
        """Yield the batches and add up the time spent waiting for each."""
        iterator = iter(batches)
        while True:
            before = time.perf_counter()
            try:
                batch = next(iterator)
            except StopIteration:
                return
            self._waited += time.perf_counter() - before
            yield batch

    def count(self, images: int) -> None:
        """Add the images of a finished step."""
        self._images += images

    def lap(self) -> tuple[float, float]:
        """Return (seconds per image, seconds per image waiting for data) and start over."""
        images = max(1, self._images)
        result = (time.perf_counter() - self._start) / images, self._waited / images
        self._restart()
        return result
