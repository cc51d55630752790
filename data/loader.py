"""Batches of an epoch, from any point of it on."""

import logging
from collections.abc import Iterator
from functools import partial

import numpy as np
import torch
from torch.utils.data import DataLoader, Sampler

from data.base import Key, TranslationDataset
from data.batch import Batch, Loaded, collate
from data.worker import quiet_children, start_worker
from options.errors import SharedError, UserError
from options.schema import DataOptions
from util.distributed import World
from util.machine import usable_cores

log = logging.getLogger(__name__)


class EpochSampler(Sampler[Key]):
    """The order of an epoch, a function of ``(seed, epoch)``; each process takes every n-th image.

    Together their k-th batches are the k-th batch of a single process with as many images. Where the last one has
    fewer images than there are processes, the others get one that they have had, so that all make as many steps.
    """

    def __init__(
        self, length: int, *, seed: int, shuffled: bool, batch_size: int = 1, rank: int = 0, world_size: int = 1
    ) -> None:
        if length < world_size:
            raise UserError(f"{length} images are too few for {world_size} processes; start fewer")
        self.batch_size = batch_size
        self.length, self.seed, self.shuffled = length, seed, shuffled
        self.rank, self.world_size = rank, world_size
        self.epoch, self.skip = 1, 0

    def __iter__(self) -> Iterator[Key]:
        order = np.arange(self.length)
        if self.shuffled:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.length)
        for index in order[self.skip + self.rank :: self.world_size]:
            yield self.epoch, int(index)
        left = max(0, self.length - self.skip)
        if 0 < left % (self.batch_size * self.world_size) <= self.rank:
            yield self.epoch, int(order[self.rank])


class Loader:
    """Batches of a data set on the device, loaded by worker processes that live as long as this object."""

    def __init__(self, dataset: TranslationDataset, opt: DataOptions, world: World) -> None:
        self._world = world
        dataset.share(opt.batch_size, world.size)
        self.sampler = EpochSampler(
            len(dataset),
            seed=dataset.seed,
            shuffled=not opt.serial_batches and not dataset.lanes,
            batch_size=opt.batch_size,
            rank=world.rank,
            world_size=world.size,
        )
        if world.size > 1:
            log.info("images in a step, over all processes: %d", opt.batch_size * world.size)
        workers = min(opt.num_threads, usable_cores())
        if dataset.lanes:
            workers = max((n for n in range(1, workers + 1) if dataset.lanes % n == 0), default=0)
        self.epoch_size = len(dataset)
        self._batches: DataLoader[Loaded] = DataLoader(
            dataset,  # type: ignore[arg-type]  # keys are (epoch, index)
            batch_size=opt.batch_size,
            sampler=self.sampler,  # type: ignore[arg-type]
            num_workers=workers,
            collate_fn=partial(collate, leave_out=opt.on_bad_image == "skip" and not dataset.replaces_bad),
            persistent_workers=workers > 0,
            worker_init_fn=start_worker,
            pin_memory=world.device.type == "cuda",
        )
        self._to_device = DeviceCopier(world.device)
        self._left_out: set[str] = set()

    def epoch(self, epoch: int, skip: int = 0) -> Iterator[Batch]:
        """Yield the batches of an epoch, leaving out its first ``skip`` images; those already on the device.

        Raises:
            UserError: an image cannot be used, which the message names; or a loading process was killed.
        """
        self.sampler.epoch, self.sampler.skip = epoch, skip
        world, begun, batch = self._world, skip, None
        for loaded in _each(self._batches):
            batch = loaded.batch or batch  # one that it has had, where others still have images
            own = loaded.batch.size if loaded.batch and begun + world.rank < self.epoch_size else 0
            if loaded.failure and world.size == 1:
                raise loaded.failure
            tally = world.tally(failed=loaded.failure is not None, images=own, idle=batch is None)
            if tally.failed:  # all stop here, instead of waiting in the step for one that is gone
                raise SharedError(str(loaded.failure or "another process could not load its images"))
            self._report(loaded.complaints)
            begun += self.sampler.batch_size * world.size
            if batch is not None and tally.images and not tally.idle:
                weight = own * world.size / tally.images
                yield self._to_device(batch._replace(in_all=tally.images, weight=weight))

    def _report(self, complaints: tuple[str, ...]) -> None:
        """Name each image that was left out once, with the count so far."""
        for text in complaints:
            if text not in self._left_out:
                self._left_out.add(text)
                log.warning("left out (%d so far): %s", len(self._left_out), text)


class DeviceCopier:
    """Copies on a stream of its own: as the host runs ahead of a GPU, the copy overlaps with the step under way."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def __call__(self, batch: Batch) -> Batch:
        """Return the batch on the device, in [-1, 1]; from pinned memory without waiting."""
        if self._stream is None:
            return batch.to(self._device)
        with torch.cuda.stream(self._stream):
            copied = batch.to(self._device)
        current = torch.cuda.current_stream(self._device)
        current.wait_stream(self._stream)
        for tensor in (copied.A, copied.B):
            if tensor is not None:
                tensor.record_stream(current)  # its memory is not given away while the step still reads it
        return copied


def _each(source: "DataLoader[Loaded]") -> Iterator[Loaded]:
    """Yield the batches of an epoch, and at last what is wrong if a loading process was killed."""
    try:
        with quiet_children():
            batches = iter(source)
        yield from batches
    except RuntimeError as error:
        if "DataLoader worker (pid" not in str(error):
            raise
        failure = UserError(
            f"a loading process was killed, most likely for lack of memory or shared memory ({error}); lower "
            "--num_threads or --batch_size"
        )
        yield Loaded(None, failure=failure)
