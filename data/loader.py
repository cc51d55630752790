"""Batches of an epoch, from any point of it on."""

import logging
import os
from collections.abc import Iterator

import numpy as np
from torch.utils.data import DataLoader, Sampler

from data.base import Key, TranslationDataset
from data.batch import Batch, collate
from data.worker import quiet_children, shield_from_signals
from options.errors import UserError
from options.schema import DataOptions
from util.distributed import World

log = logging.getLogger(__name__)


class EpochSampler(Sampler[Key]):
    """The order of an epoch, a function of ``(seed, epoch)``; each process takes every n-th image."""

    def __init__(self, length: int, *, seed: int, shuffled: bool, rank: int = 0, world_size: int = 1) -> None:
        if length < world_size:
            raise UserError(f"{length} images are too few for {world_size} processes; start fewer")
        self.length, self.seed, self.shuffled = length, seed, shuffled
        self.rank, self.world_size = rank, world_size
        self.epoch, self.skip = 1, 0

    def __iter__(self) -> Iterator[Key]:
        order = np.arange(self.length)
        if self.shuffled:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.length)
        usable = self.length - (self.length - self.skip) % self.world_size  # as many steps in every process
        for index in order[self.skip + self.rank : usable : self.world_size]:
            yield self.epoch, int(index)


class Loader:
    """Batches of a data set, loaded by worker processes that live as long as this object."""

    def __init__(
        self,
        dataset: TranslationDataset,
        opt: DataOptions,
        world: World,
    ) -> None:
        self._world = world
        self.sampler = EpochSampler(
            len(dataset),
            seed=dataset.seed,
            shuffled=not opt.serial_batches,
            rank=world.rank,
            world_size=world.size,
        )
        if world.size > 1:
            log.info("images in a step, over all processes: %d", opt.batch_size * world.size)
        workers = min(opt.num_threads, os.cpu_count() or 1)
        self.epoch_size = len(dataset) - len(dataset) % world.size
        self._batches: DataLoader[Batch | UserError] = DataLoader(
            dataset,  # type: ignore[arg-type]  # keys are (epoch, index)
            batch_size=opt.batch_size,
            sampler=self.sampler,  # type: ignore[arg-type]
            num_workers=workers,
            collate_fn=collate,
            persistent_workers=workers > 0,
            worker_init_fn=shield_from_signals,
            pin_memory=world.device.type == "cuda",
        )

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, leaving out its first ``skip`` images.

        Raises:
            UserError: an image cannot be used, which the message names; or a loading process was killed.
        """
        self.sampler.epoch, self.sampler.skip = epoch, skip
        with quiet_children():
            batches = iter(self._batches)
        while (batch := _next(batches)) is not None:
            failure = batch if isinstance(batch, UserError) else None
            if self._world.any(
                failure is not None
            ):  # all stop here, instead of waiting in the step for one that is gone
                raise failure or UserError("another process could not load its images")
            assert not isinstance(batch, UserError)
            yield batch


def _next(batches: Iterator[Batch | UserError]) -> Batch | UserError | None:
    """Return the next batch, what is wrong with it, or None at the end."""
    try:
        return next(batches, None)
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        return UserError(
            f"a loading process was killed, most likely for lack of memory or shared memory ({error}); lower "
            "--num_threads or --batch_size"
        )
