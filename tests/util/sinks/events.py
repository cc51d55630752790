"""Events that the tests of the sinks share."""

import numpy as np

from util.sinks.base import Sink
from util.sinks.events import Images, Samples, Scalars, Scores


def scalars(number: int, per_epoch: int = 4, /, **losses: float) -> Scalars:
    """Return the number-th report of a run, from 1, one every 100 images."""
    losses = losses or {"D_A": 0.1 * number, "G_A": 0.5, "cycle_A": 1.0 / number}
    epoch, iters = (number - 1) // per_epoch + 1, ((number - 1) % per_epoch + 1) * 100
    return Scalars(epoch, number / per_epoch, iters, number * 100, losses, 2e-4, 0.311, 0.0)


def images(epoch: int = 1, images_seen: int = 400, *, labels: tuple[str, ...] = ("real_A", "fake_B")) -> Images:
    """Return small images, the last one gray."""
    shapes = [(32, 32, 3)] * (len(labels) - 1) + [(32, 32)]
    levels = {label: np.full(shape, 90, np.uint8) for label, shape in zip(labels, shapes, strict=True)}
    return Images(epoch, images_seen, levels)


def samples(epoch: int = 1, images_seen: int = 400) -> Samples:
    """Return a small sheet, wider than high."""
    return Samples(epoch, images_seen, np.full((40, 100, 3), 90, np.uint8))


SHEET = np.tile(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], (40, 1, 3))
NUMBERS = {
    "loss/G": 0.5,
    "accuracy/D_real": 0.75,
    "epoch": 1.0,
    "learning_rate": 2e-4,
    "seconds": 0.311,
    "data_seconds": 0.0,
    "memory": 1.5,
    "held_out/validation": 21.5,
    "held_out/variety_G": 0.9,
}


def tell_everything(sink: Sink, number: int = 4, **losses: float) -> None:
    """Tell what happens at one step, in the order in which a training does; it is at 100 images times ``number``."""
    report = scalars(number)._replace(losses=losses or {"G": 0.5}, accuracies={"D_real": 0.75}, memory=1.5 * 2**30)
    where = report.epoch, report.images_seen
    sink.scalars(report)
    sink.images(images(*where))
    sink.scores(Scores(report.epoch, report.position, report.images_seen, {"validation": 21.5, "variety_G": 0.9}))
    sink.samples(Samples(*where, SHEET))
