"""Notice when the losses stop being numbers, and name the images of the step in which they did."""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from data.batch import Batch
from models.base import TranslationModel
from options.errors import DivergedError
from util.distributed import World

MOST_STEPS = 10_000  # remembered between two looks


class Step(NamedTuple):
    """What is kept of a step until somebody looks."""

    images_seen: int  # before it
    paths: tuple[str, ...]
    losses: Mapping[str, Tensor]  # scalars on the device


class LossWatch:
    """Remembers the losses of every step, on the device, until ``check`` looks at all of them at once.

    With ``stops=False`` it does nothing: somebody else deals with such steps.
    """

    def __init__(self, world: World, *, stops: bool = True) -> None:
        self._world, self._stops = world, stops
        self._steps: deque[Step] = deque(maxlen=MOST_STEPS)

    def note(self, images_seen: int, batch: Batch, losses: Mapping[str, Tensor]) -> None:
        """Remember a step that began after ``images_seen`` images; costs the device nothing."""
        if self._stops:
            self._steps.append(Step(images_seen, batch.paths, losses))

    def check(self) -> None:
        """Look at the steps since the last look; every process must. Synchronises the device.

        Raises:
            DivergedError: a loss was infinite or not a number, here or in another process.
        """
        steps, message = list(self._steps), None
        self._steps.clear()
        if steps:
            values = torch.stack([value.float() for step in steps for value in step.losses.values()]).tolist()  # sync
            labels = [(step, name) for step in steps for name in step.losses]
            found = [(*label, value) for label, value in zip(labels, values, strict=True) if not math.isfinite(value)]
            message = describe(*found[0]) if found else None
        if self._stops and self._world.any(message is not None):
            raise DivergedError(message or "a loss in another process is not finite")


def describe(step: Step, name: str, value: float) -> str:
    """Say which loss of which images is no number, and what helps."""
    return (
        f"the loss {name} is {value} after {step.images_seen} images, at {', '.join(step.paths)}; lower --lr "
        "or choose another --gan_mode"
    )


def refuse_bad_weights(model: TranslationModel[Any], world: World, images_seen: int) -> None:
    """Raise a ``DivergedError``, in all processes at once, if the weights are not worth keeping.

    They are not where those of a process differ from the main one's, or one is infinite or not a number. Synchronises
    the device.
    """
    parameters = [weights.detach() for weights in model.networks.parameters()]
    if world.size > 1:
        sums = [weights.view(torch.int32).sum(dtype=torch.int64) for weights in parameters]
        found = world.everyones(hash(tuple(torch.stack(sums).tolist())))  # sync
        others = [str(rank) for rank, number in enumerate(found) if number != found[0]]
        if others:
            raise DivergedError(
                f"after {images_seen} images the weights of process {', '.join(others)} are not those of process 0, so "
                "nothing was saved; look for differing machines or versions of PyTorch"
            )
    if not bool(torch.stack([weights.sum() for weights in parameters]).isfinite().all()):  # sync
        raise DivergedError(
            f"the weights are no longer finite after {images_seen} images and were not saved; lower --lr or choose "
            "another --gan_mode"
        )
