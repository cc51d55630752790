"""Where we compute: ``--device`` and ``--gpu_ids`` as a device."""

import torch

from options.errors import UserError
from options.schema import RunOptions


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
