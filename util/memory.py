"""How much memory a training takes, and what becomes of it when it is freed."""

import ctypes
import os
import sys
from pathlib import Path

import torch

STATM = Path("/proc/self/statm")  # in pages: size, resident, ...
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST, MOST_OF_OLDER = 2**30, 2**25  # bytes; glibc before 2.35 takes no more for M_MMAP_THRESHOLD


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


def give_back_freed_memory() -> None:
    """Return to the system what this process has freed and kept, so that ``memory_in_use`` counts what is in use."""
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is not None and hasattr(library, "malloc_trim"):
        library.malloc_trim(0)


def keep_freed_memory() -> None:
    """Let this process, as long as it lives, use its freed memory again instead of giving it back to Linux at once.

    Else large tensors, which come and go with every step, have their pages cleared anew each time. The price is that
    what lies between memory in use may stay unused. Has no effect where the C library is not glibc.
    """
    library = ctypes.CDLL(None) if sys.platform == "linux" else None
    if library is None or not hasattr(library, "mallopt"):
        return
    taken = any(library.mallopt(M_MMAP_THRESHOLD, size) for size in (LARGEST, MOST_OF_OLDER))  # the first that it takes
    if taken:  # or the other setting alone would do harm
        library.mallopt(M_TRIM_THRESHOLD, LARGEST)
