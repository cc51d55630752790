"""What a training tells: numbers, held-out scores and images, as plain values on the CPU."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from util.images import ImageArray

NOTHING: Mapping[str, float] = MappingProxyType({})


class Scalars(NamedTuple):
    """One report of the training.

    ``epoch`` counts from 1, ``position`` is the same with a fraction (0.5 = half of epoch 1 done),
    ``iters`` are images since the start of this epoch, ``images_seen`` since the start of the run.
    """

    epoch: int
    position: float
    iters: int
    images_seen: int
    losses: Mapping[str, float]
    learning_rate: float
    seconds: float  # per image
    data_seconds: float  # per image, waiting for the loader
    accuracies: Mapping[str, float] = NOTHING  # discriminators' shares of right verdicts in the newest step, 0 to 1
    memory: float = 0.0  # bytes in use: of the GPU where one computes, else of this process; 0 if unknown


class Scores(NamedTuple):
    """What was measured on held-out images; ``epoch``, ``position``, ``images_seen`` as in ``Scalars``.

    ``variety_<G>`` tells how much a generator's outputs differ from one input to another, where 1 is as much as real
    images do. All others are of a validation. ``deciding`` is what ``--best_metric`` names, and ``worth`` its value,
    over all generators and with the sign turned where more is better: the lowest is the best.
    """

    epoch: int
    position: float
    images_seen: int
    scores: Mapping[str, float]
    deciding: str = ""
    worth: float = math.nan


Event = Scalars | Scores  # what is kept in ``metrics.jsonl``


class Images(NamedTuple):
    """The images of one training image, in display order; ``epoch`` and ``images_seen`` as in ``Scalars``."""

    epoch: int
    images_seen: int
    images: dict[str, ImageArray]


class Samples(NamedTuple):
    """The images of the held-out images, always the same ones, as one sheet with a row for each."""

    epoch: int
    images_seen: int
    sheet: ImageArray
