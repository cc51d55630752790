"""How much memory a training takes."""

import os
import sys
from pathlib import Path

import torch

STATM = Path("/proc/self/statm")  # in pages: size, resident, ...


def memory_in_use(device: torch.device) -> float:
    """Return the bytes that PyTorch holds on a GPU, or that this process holds in memory; 0 if unknown."""
    if device.type == "cuda":
        return float(torch.cuda.memory_reserved(device))
    if device.type == "mps":
        return float(torch.mps.driver_allocated_memory())
    if STATM.exists():
        return float(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    if sys.platform == "darwin":
        import resource

        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # the most so far, in bytes there
    return 0.0
