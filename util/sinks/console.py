"""The terminal: the official loss line and a progress bar that the lines do not tear."""

import logging
import time

from tqdm import tqdm

from util.progress import Progress
from util.sinks.base import RunSoFar, Sink
from util.sinks.events import Scalars

log = logging.getLogger(__name__)


def loss_line(event: Scalars) -> str:
    """Write losses as the official code did until 2025, so that log parsers keep working."""
    where = f"(epoch: {event.epoch:d}, iters: {event.iters:d}"
    losses = "".join(f"{name}: {value:.3f} " for name, value in event.losses.items())
    return f"{where}, time: {event.seconds:.3f}, data: {event.data_seconds:.3f}) {losses}"


class ConsoleSink(Sink):
    """Log loss lines; show a bar per epoch when standard error is a terminal."""

    def __init__(self, *, total_epochs: int, quiet: bool = False) -> None:
        self._total_epochs, self._quiet = total_epochs, quiet
        self._bar: tqdm | None = None
        self._epoch = 0
        self._images = 0  # in this process, for the time left
        self._start = 0.0
        self._losses = ""

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink:
        """Open it; with ``--quiet`` it shows no bar."""
        return cls(total_epochs=run.opt.optim.last_epoch, quiet=run.opt.run.quiet)

    def step(self, progress: Progress, images: int) -> None:
        """Move the bar; at the first step of an epoch, or of a resumed run, open a new one."""
        if self._bar is None or self._epoch != progress.epoch:
            self._open(progress, images)
        assert self._bar is not None
        self._images += images
        if not self._bar.disable:
            self._bar.set_postfix_str(f"{self._time_left(progress)} {self._losses}", refresh=False)
            self._bar.update(progress.seen_in_epoch - self._bar.n)

    def scalars(self, event: Scalars) -> None:
        """Log the loss line."""
        log.info("%s", loss_line(event))
        self._losses = " ".join(f"{name} {value:.2f}" for name, value in event.losses.items())

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _open(self, progress: Progress, images: int) -> None:
        self.close()
        self._epoch = progress.epoch
        self._start = self._start or time.monotonic()
        self._bar = tqdm(
            desc=f"epoch {progress.epoch}/{self._total_epochs}",
            total=progress.epoch_size,
            initial=progress.seen_in_epoch - images,
            unit="img",
            dynamic_ncols=True,
            leave=False,
            disable=self._quiet or None,  # shown on a terminal only
        )

    def _time_left(self, progress: Progress) -> str:
        """Estimate the rest of the run from all images of this process, pauses included."""
        epochs = self._total_epochs - progress.epoch + 1
        images = epochs * progress.epoch_size - progress.seen_in_epoch
        seconds = images * (time.monotonic() - self._start) / max(1, self._images)
        return f"run: {tqdm.format_interval(max(0, int(seconds)))} left"
