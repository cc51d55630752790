"""Events that the tests of the sinks share."""

import numpy as np

from util.sinks.events import Images, Samples, Scalars


def scalars(number: int, *, per_epoch: int = 4, **losses: float) -> Scalars:
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
