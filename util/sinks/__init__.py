"""Where a run's numbers and pictures go: one small class per destination, one ``Recorder`` in front.

The recorder turns device tensors into numbers once and hands the same event to every sink.
``metrics.jsonl`` is the truth; a dashboard is a view of it.
"""

import logging
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from torch import Tensor

from util.images import Picture
from util.progress import Progress

log = logging.getLogger(__name__)


class Scalars(NamedTuple):
    """One report of the losses.

    ``epoch`` counts from 1, ``position`` is the same with a fraction (0.5 = half of epoch 1 done),
    ``iters`` are images since the start of this epoch, ``images_seen`` since the start of the run.
    """

    epoch: int
    position: float
    iters: int
    images_seen: int
    losses: dict[str, float]
    learning_rate: float
    seconds: float  # per image
    data_seconds: float  # per image, waiting for the loader


class Pictures(NamedTuple):
    """One set of sample pictures, in display order; ``epoch`` and ``images_seen`` as in ``Scalars``."""

    epoch: int
    images_seen: int
    pictures: dict[str, Picture]


class Sink:
    """A destination. Override what it shows; the rest does nothing."""

    def step(self, progress: Progress, images: int) -> None:
        """Note that a step of ``images`` images is done; called at every step, so keep it cheap."""

    def scalars(self, event: Scalars) -> None:
        """Show losses."""

    def images(self, event: Pictures) -> None:
        """Show pictures."""

    def close(self) -> None:
        """Flush; called once, also after an error."""


class Recorder:
    """Fan events out to the sinks; on ranks other than 0 give it no sinks."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._sinks = list(sinks)

    def step(self, progress: Progress, images: int) -> None:
        """Tell every sink that a step is done."""
        for sink in self._sinks:
            sink.step(progress, images)

    def scalars(self, event: Scalars) -> None:
        """Show losses everywhere."""
        for sink in self._sinks:
            sink.scalars(event)

    def images(self, progress: Progress, visuals: Mapping[str, Tensor]) -> None:
        """Show the first image of each visual everywhere.

        Args:
            visuals: N x C x H x W in [-1, 1]. Synchronises the device.
        """
        from util.images import to_uint8

        if self._sinks:
            pictures = {label: to_uint8(images) for label, images in visuals.items()}
            event = Pictures(progress.epoch, progress.images_seen, pictures)
            for sink in self._sinks:
                sink.images(event)

    def close(self) -> None:
        """Close every sink, the last one too when an earlier one fails."""
        for sink in self._sinks:
            try:
                sink.close()
            except OSError as error:
                log.warning("closing %s: %s", type(sink).__name__, error)
