"""Translate a data set with the networks as they are, without any effect on a training."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from data.batch import Batch
from models.base import TranslationModel
from models.statistics import RunningStatistics
from models.stepper import seed_step


@torch.no_grad()
def translated(model: TranslationModel[Any], batches: Iterable[Batch], first: int = 0) -> Iterator[tuple[Batch, Any]]:
    """Yield each batch with the model's output; dropout is the same in every run.

    Args:
        first: place of the first image in the data set.

    Raises:
        UserError: an image does not fit the networks.
    """
    count = first
    for batch in batches:
        model.check_batch(batch)
        seed_step(model.opt.run.seed, 0, count)
        with model.compute.kernels(), model.compute.forward():
            out = model(batch)
        yield batch, out
        count += batch.size


@contextmanager
def as_in_a_test(model: TranslationModel[Any]) -> Iterator[None]:
    """Let the body translate in the middle of a training: no identity images, and running statistics stay.

    Batch norm and dropout work as in training, as the official test does (Isola et al. 2017, section 3.4).
    """
    statistics, was_training = RunningStatistics(model.networks), model.training
    statistics.keep()
    model.training = False  # of the model alone, not of its networks
    try:
        yield
    finally:
        model.training = was_training
        statistics.restore()
