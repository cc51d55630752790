"""One process or many: who we are, where we compute, and averaging over all.

Started by ``torchrun`` the environment says who we are (gloo on the CPU, NCCL on GPUs); otherwise
there is one process and every function here is free.
"""

import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from options.errors import CannotSaveError, DivergedError, StoppedError, UserError
from options.schema import RunOptions
from util.determinism import deterministic_kernels

log = logging.getLogger(__name__)


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

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace every gradient by its mean over the processes."""
        if self.size == 1:
            return
        grads = [p.grad for p in parameters if p.grad is not None]
        flat = torch.cat([grad.reshape(-1) for grad in grads])
        dist.all_reduce(flat)
        flat /= self.size
        for grad, mean in zip(grads, torch.split(flat, [grad.numel() for grad in grads]), strict=True):
            grad.copy_(mean.view_as(grad))

    def any(self, flag: bool) -> bool:
        """Tell whether the flag is up in any process. All must call it; on the CPU, so no GPU is waited for."""
        if self.size == 1:
            return flag
        raised = torch.tensor(int(flag))
        dist.all_reduce(raised, dist.ReduceOp.MAX)
        return bool(raised)

    def agree(self, number: int) -> bool:
        """Tell whether all processes have the same number. All must call it."""
        if self.size == 1:
            return True
        ends = torch.tensor([number, -number])
        dist.all_reduce(ends, dist.ReduceOp.MAX)
        return bool(ends.sum() == 0)

    def mean(self, values: Tensor) -> Tensor:
        """Average a tensor over the processes."""
        if self.size > 1:
            dist.all_reduce(values)
            values = values / self.size
        return values


@contextmanager
def session(opt: RunOptions) -> Iterator[World]:
    """Join the other processes, if there are any, and leave them at the end; keep to ``--deterministic``.

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
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        world = World(rank, size, device)
        try:
            yield world
            world.any(False)
        except (StoppedError, DivergedError, CannotSaveError):
            world.any(False)  # the launcher ends all when one has left, and the main process may still be saving
            raise
        finally:
            dist.destroy_process_group()


def choose_device(opt: RunOptions, *, local_rank: int = 0, launched: bool = False) -> torch.device:
    """Turn ``--device`` and ``--gpu_ids`` into a device.

    Args:
        local_rank: number of this process on its machine.
        launched: True under ``torchrun``.
    """
    ids = _gpu_ids(opt.gpu_ids)
    if opt.device != "auto":
        name = f"cuda:{local_rank}" if opt.device == "cuda" else opt.device
        return _existing(name, f"--device {opt.device}")
    if ids == [-1]:
        return torch.device("cpu")
    if len(ids) > 1 and not launched:
        raise UserError(
            f"--gpu_ids {opt.gpu_ids} names {len(ids)} GPUs; start one process for each: "
            f"torchrun --nproc_per_node={len(ids)} train.py --gpu_ids {opt.gpu_ids} ... (the rest as before)"
        )
    if ids:
        if local_rank >= len(ids):
            raise UserError(f"--gpu_ids {opt.gpu_ids} names {len(ids)} GPUs, fewer than there are processes")
        return _existing(f"cuda:{ids[local_rank]}", f"--gpu_ids {opt.gpu_ids}")
    if torch.cuda.is_available():
        return _existing(f"cuda:{local_rank}", f"process {local_rank} of this machine")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def _gpu_ids(text: str) -> list[int]:
    try:
        ids = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise UserError(f"--gpu_ids {text!r} is not a list of numbers; give 0, or 0,1, or -1 for the CPU") from None
    return [-1] if any(number < 0 for number in ids) else ids


def _existing(name: str, given: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"{given}: there is no such device; use cpu, cuda, cuda:1 or mps") from None
    missing = UserError(f"{given}: this machine has no {device}; pass --gpu_ids -1 (or --device cpu) for the CPU")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise missing
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise missing
    if device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"{given}: use cpu, cuda, cuda:1 or mps")
    return device
