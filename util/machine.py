"""What this program may use of the machine, processor cores and memory, and what it does use."""

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch

STATM = Path("/proc/self/statm")  # in pages: size, resident, ...
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
LARGEST, MOST_OF_OLDER = 2**30, 2**25  # bytes; glibc before 2.35 takes no more for M_MMAP_THRESHOLD


class Names(NamedTuple):
    """Of the files of a control group, and of a line in its ``memory.stat``."""

    limit: str
    used: str
    file_pages: str  # that have not been read for a while: they are given back when memory runs short


VERSION_1 = Names("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
VERSION_2 = Names("memory.max", "memory.current", "inactive_file")


def usable_cores() -> int:
    """Return how many cores this program may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def free_memory(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the bytes that can be taken without swapping, here and in the container; None where nobody says.

    Args:
        proc: where Linux describes processes.
        cgroup: where it describes control groups, which containers and batch systems limit.
    """
    available = _line(proc / "meminfo", "MemAvailable:")
    rests = [_rest(group, names) for group, names in _groups(proc / "self" / "cgroup", cgroup)]
    known = [rest for rest in rests if rest is not None]
    if available is not None:
        known.append(1024 * available)
    return min(known, default=None)


def _groups(listing: Path, root: Path) -> Iterator[tuple[Path, Names]]:
    """Yield the folders of this process's control groups that count memory, and of those around them.

    A container may see its own group as the root, under a path that it does not see.
    """
    for line in _text(listing).splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers or "memory" in controllers.split(","):
            top, names = (root / "memory", VERSION_1) if controllers else (root, VERSION_2)
            group = top / path.lstrip("/")
            yield from ((folder, names) for folder in (group, *group.parents) if folder.is_relative_to(top))


def _rest(group: Path, names: Names) -> int | None:
    """Return what a control group leaves; None if it has no limit."""
    limit, used = _text(group / names.limit).strip(), _text(group / names.used).strip()
    if not (limit.isdigit() and used.isdigit()):  # no such file, or "max"
        return None
    return max(0, int(limit) - int(used) + (_line(group / "memory.stat", names.file_pages) or 0))


def _line(path: Path, name: str) -> int | None:
    lines = (line.split() for line in _text(path).splitlines())
    return next((int(words[1]) for words in lines if words[:1] == [name]), None)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


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
