"""Turn the tensors of a training into numbers once, and hand the same event to every sink."""

import logging
import math
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from util.distributed import World
from util.images import ImageArray, to_uint8
from util.machine import memory_in_use
from util.progress import Progress
from util.sheet import sheet
from util.sinks.base import Sink
from util.sinks.events import Images, Samples, Scalars, Scores

log = logging.getLogger(__name__)


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
        self,
        progress: Progress,
        losses: Mapping[str, Tensor],
        accuracies: Mapping[str, Tensor],
        *,
        learning_rate: float,
        lap: tuple[float, float],
    ) -> None:
        """Report how the training goes. Synchronises the device.

        Args:
            losses: scalars, in display order.
            accuracies: scalars in [0, 1], see ``Scalars``.
            lap: seconds per image, and those spent waiting for data.
        """
        values = torch.stack([value.float() for value in (*losses.values(), *accuracies.values())])
        numbers = self._world.mean(values).tolist()  # sync
        event = Scalars(
            progress.epoch,
            progress.fractional_epoch,
            progress.seen_in_epoch,
            progress.images_seen,
            dict(zip(losses, numbers, strict=False)),
            learning_rate,
            *lap,
            accuracies=dict(zip(accuracies, numbers[len(losses) :], strict=True)),
            memory=memory_in_use(self._world.device),
        )
        self._tell(lambda sink: sink.scalars(event))

    def scores(
        self, progress: Progress, scores: Mapping[str, float], *, deciding: str = "", worth: float = math.nan
    ) -> None:
        """Report what was measured on held-out images.

        Args:
            deciding, worth: of a validation, see ``Scores``.
        """
        if scores:
            place = progress.epoch, progress.fractional_epoch, progress.images_seen
            event = Scores(*place, dict(scores), deciding, worth)
            self._tell(lambda sink: sink.scores(event))

    def images(self, progress: Progress, visuals: Mapping[str, Tensor]) -> None:
        """Show the first image of each visual everywhere.

        Args:
            visuals: N x C x H x W in [-1, 1]. Synchronises the device.
        """
        if self._sinks and visuals:
            event = Images(progress.epoch, progress.images_seen, _images(visuals))
            self._tell(lambda sink: sink.images(event))

    def samples(self, progress: Progress, rows: Sequence[Mapping[str, Tensor]], scores: Mapping[str, float]) -> None:
        """Show the held-out images everywhere, and report what was measured on them.

        Args:
            rows: for each image its visuals, 1 x C x H x W in [-1, 1]. Synchronises the device.
        """
        self.scores(progress, scores)
        rows = [row for row in rows if row]
        if self._sinks and rows:
            caption = f"epoch {progress.epoch}, {progress.images_seen:,} images seen"
            shown = sheet([_images(visuals) for visuals in rows], caption)
            event = Samples(progress.epoch, progress.images_seen, shown)
            self._tell(lambda sink: sink.samples(event))

    def _tell(self, call: Callable[[Sink], None]) -> None:
        """Call every sink; one that fails is switched off, because a display must not end a training."""
        for sink in list(self._sinks):
            try:
                call(sink)
            except Exception as error:  # noqa: BLE001  # whatever a tracker's library raises
                log.warning("%s is switched off: %s: %s", type(sink).__name__, type(error).__name__, error)
                self._sinks.remove(sink)


def _images(visuals: Mapping[str, Tensor]) -> dict[str, ImageArray]:
    return {label: to_uint8(images) for label, images in visuals.items()}
