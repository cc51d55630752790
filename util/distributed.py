"""One process or many: who we are, and what all of us do together.

Started by ``torchrun`` the environment says who we are (gloo on the CPU, NCCL on GPUs); otherwise
there is one process and every function here is free.
"""

import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from options.errors import CannotSaveError, DivergedError, LostProcessError, SharedError, StoppedError
from options.schema import RunOptions
from util.determinism import deterministic_kernels
from util.device import choose_device

log = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=300)  # until all have started, where --timeout is less

_PEERS: list[tuple[str, int]] = []  # host and process number of each rank, to name those that are gone


class Tally(NamedTuple):
    """What all processes have brought to a step.

    Attributes:
        failed: one has met a mistake.
        images: of all.
        idle: one has nothing at all to compute with.
    """

    failed: bool
    images: int
    idle: bool


@dataclass(frozen=True)
class World:
    """This process among ``size``; ``rank`` 0 alone writes and speaks."""

    rank: int
    size: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """True where files are written."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Tell whether the flag is up in any process. All must call it; on the CPU, so no GPU is waited for."""
        if self.size == 1:
            return flag
        return bool(all_reduce(torch.tensor(int(flag)), dist.ReduceOp.MAX))

    def tally(self, *, failed: bool, images: int, idle: bool) -> Tally:
        """Add up what the processes bring to a step. All must call it; on the CPU."""
        if self.size == 1:
            return Tally(failed, images, idle)
        failures, total, empty = all_reduce(torch.tensor([int(failed), images, int(idle)])).tolist()
        return Tally(failures > 0, total, empty > 0)

    def agree(self, number: int) -> bool:
        """Tell whether all processes have the same number. All must call it."""
        return len(set(self.everyones(number))) == 1

    def everyones(self, number: int) -> list[int]:
        """Return the number of each process, by rank. All must call it."""
        if self.size == 1:
            return [number]
        numbers = torch.zeros(self.size, dtype=torch.int64)
        numbers[self.rank] = number
        return [int(value) for value in all_reduce(numbers).tolist()]

    def mean(self, values: Tensor) -> Tensor:
        """Average a tensor over the processes."""
        return all_reduce(values) / self.size if self.size > 1 else values

    def gather(self, value: Any) -> list[Any]:
        """Return the plain values and tensors of all processes, by rank, in the main one, and nothing elsewhere.

        All must call it. Tensors come on the CPU.
        """
        if self.size == 1:
            return [value]
        found: list[Any] | None = [None] * self.size if self.is_main else None
        with heard():
            dist.gather_object(_on_cpu(value), found)
        return found or []


def all_reduce(values: Tensor, op: Any = dist.ReduceOp.SUM) -> Tensor:
    """Put the sum, or whatever ``op`` says, over all processes in the place of a tensor, and return that.

    Raises:
        LostProcessError: another process is gone, or silent for longer than ``--timeout``.
    """
    with heard():
        dist.all_reduce(values, op)
    return values


@contextmanager
def session(opt: RunOptions, *, timeout: float = 600) -> Iterator[World]:
    """Join the other processes, if there are any, and leave them at the end; keep to ``--deterministic``.

    Args:
        timeout: seconds after which another process that is silent counts as lost.

    Raises:
        UserError: the device does not exist, or several GPUs are asked for without ``torchrun``.
    """
    size, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    device = choose_device(opt, local_rank=int(os.environ.get("LOCAL_RANK", 0)), launched="LOCAL_RANK" in os.environ)
    if device.type == "cuda":
        torch.cuda.set_device(device)
    log.info("computing on %s, processes: %d", device, size)
    with deterministic_kernels(opt.deterministic):
        if size == 1:
            yield World(0, 1, device)
            return
        with heard():
            _join("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo", timedelta(seconds=timeout))
        world = World(rank, size, device)
        try:
            yield world
            world.any(False)
        except (StoppedError, DivergedError, CannotSaveError, SharedError):
            world.any(False)  # the launcher ends all when one has left, and the main process may still be saving
            raise
        finally:
            dist.destroy_process_group()


def _join(backend: str, timeout: timedelta) -> None:
    """Meet the other processes.

    The launcher's store outlives a restart (PyTorch 2.15), with the addresses of processes that are gone; so each start
    has keys of its own in it.
    """
    store, rank, size = next(rendezvous("env://", timeout=timeout))  # type: ignore[no-untyped-call]
    store = PrefixStore(f"start {restarts()}", store)
    store.set(f"here {rank}", "")
    store.wait([f"here {other}" for other in range(size)], max(timeout, PATIENCE))  # importing PyTorch can take long
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=timeout)
    _PEERS[:] = [("", 0)] * size
    dist.all_gather_object(_PEERS, (socket.gethostname(), os.getpid()))


@contextmanager
def heard() -> Iterator[None]:
    """Say in one sentence that the other processes cannot be heard."""
    try:
        yield
    except RuntimeError as error:  # of all kinds that gloo, NCCL and the store have
        gone = [f"process {rank} ({pid} on {host})" for rank, (host, pid) in enumerate(_PEERS) if has_ended(host, pid)]
        unknown = "another process has ended, or was silent for --timeout seconds"
        who = f"{', '.join(gone)} has ended" if gone else unknown
        raise LostProcessError(f"{who}; what it said last may tell why ({str(error).splitlines()[0]})") from error


def _on_cpu(value: Any) -> Any:
    """Return nested dicts and lists with their tensors on the CPU."""
    if isinstance(value, Tensor):
        return value.detach().cpu()
    if isinstance(value, dict):
        return {key: _on_cpu(item) for key, item in value.items()}
    return [_on_cpu(item) for item in value] if isinstance(value, list | tuple) else value


def has_ended(host: str, pid: int) -> bool:
    """Tell whether a process is known to be gone; of other hosts, and not on Linux, nothing is known."""
    if host != socket.gethostname() or sys.platform != "linux":
        return False
    try:
        return _stat(pid)[0] in "ZX"  # it waits for its parent
    except OSError:
        return True


def restarts() -> int:
    """Return how often ``--max-restarts`` has started processes in the place of those that failed."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", 0))


def hosts() -> int:
    """Return how many machines take part."""
    return int(os.environ.get("GROUP_WORLD_SIZE", 1))


def launch_id() -> str:
    """Return what all processes of one launch have in common, the restarted ones too, and other launches have not.

    That is ``--rdzv-id``, or which process the launcher is and when it was started.
    """
    given = os.environ.get("TORCHELASTIC_RUN_ID", "none")
    if given != "none":
        return given
    parent = os.getppid()
    try:
        since = _stat(parent)[19]
    except OSError:  # not Linux
        since = ""
    return f"{parent} {since}"


def _stat(pid: int) -> list[str]:
    """Return what Linux tells of a process behind its name: first the state, as the 20th when it was started."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
