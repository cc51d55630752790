"""Translate a data set with the networks as they are, of a trained run or in the middle of a training."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from data.base import TranslationDataset
from data.batch import Batch
from data.loader import Loader
from data.registry import create_dataset
from models.base import TranslationModel
from models.registry import create_model
from models.stepper import seed_step
from models.trained_run import load_networks
from networks.statistics import RunningStatistics
from options.schema import Options
from util.checkpoint import prefix_of
from util.distributed import World
from util.run_folder import run_folder


class Opened(NamedTuple):
    """What a test translates, and with what."""

    dataset: TranslationDataset
    loader: Loader
    model: TranslationModel[Any]


def open_test(opt: Options, world: World) -> Opened:
    """Open a data set, and a trained run's model as the flags of a test say.

    Raises:
        UserError: files are missing or damaged.
    """
    limit = min(opt.data.max_dataset_size, opt.result.num_test)
    dataset = create_dataset(replace(opt, data=replace(opt.data, max_dataset_size=limit)))
    loader = Loader(dataset, opt.data, world)
    model = create_model(opt).place(world.device)
    load_networks(model, run_folder(opt), prefix_of(opt.run.epoch, opt.run.load_iter), averaged=opt.result.ema > 0)
    model.train(not opt.result.eval)  # the official default: batch norm and dropout as in training
    return Opened(dataset, loader, model)


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
