"""Where a run's numbers and pictures go: one small class per destination, one ``Recorder`` in front.

The recorder turns device tensors into numbers once and hands the same event to every sink.
``metrics.jsonl`` is the truth; a dashboard is a view of it.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from util.distributed import World
from util.images import Picture, to_uint8
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
    """Turn device tensors into numbers once and fan them out to the sinks; close these at the end.

    Every process calls it at the same moments, because losses are averaged over processes; only the
    main one has sinks.
    """

    def __init__(self, sinks: Sequence[Sink], world: World) -> None:
        self._sinks, self._world = list(sinks), world

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *error: object) -> None:
        self._tell(lambda sink: sink.close())

    def step(self, progress: Progress, images: int) -> None:
        """Tell every sink that a step of ``images`` images is done."""
        self._tell(lambda sink: sink.step(progress, images))

    def scalars(
        self, progress: Progress, losses: Mapping[str, Tensor], learning_rate: float, lap: tuple[float, float]
    ) -> None:
        """Show losses everywhere. Synchronises the device.

        Args:
            losses: scalars, in display order.
            lap: seconds per image, and those spent waiting for data.
        """
        numbers = self._world.mean(torch.stack([value.float() for value in losses.values()])).tolist()  # sync
        values = dict(zip(losses, numbers, strict=True))
        position, iters = progress.fractional_epoch, progress.seen_in_epoch
        event = Scalars(progress.epoch, position, iters, progress.images_seen, values, learning_rate, *lap)
        self._tell(lambda sink: sink.scalars(event))

    def images(self, progress: Progress, visuals: Mapping[str, Tensor]) -> None:
        """Show the first image of each visual everywhere.

        Args:
            visuals: N x C x H x W in [-1, 1]. Synchronises the device.
        """
        if self._sinks:
            pictures = {label: to_uint8(images) for label, images in visuals.items()}
            event = Pictures(progress.epoch, progress.images_seen, pictures)
            self._tell(lambda sink: sink.images(event))

    def _tell(self, call: Callable[[Sink], None]) -> None:
        """Call every sink; one that fails is switched off, because a display must not end a training."""
        for sink in list(self._sinks):
            try:
                call(sink)
            except Exception as error:  # noqa: BLE001  # whatever a tracker's library raises
                log.warning("%s is switched off: %s: %s", type(sink).__name__, type(error).__name__, error)
                self._sinks.remove(sink)
