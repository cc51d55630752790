"""Seconds and memory of a repeated call, after a warm-up, with the device's work in them."""

import contextlib
import math
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

LEAST_WARM = 5 if torch.cuda.is_available() else 2  # calls before the timed ones; the fourth may be recorded
MOST_WARM = 8
AGREED = 0.2  # two calls in a row that differ by less are warm
SHORTEST = 0.2  # seconds of a timing: shorter calls are timed in a row
STATUS, CLEAR_REFS = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def synchronize() -> None:
    """Wait until the device has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()


def timed(call: Callable[[], object], repeats: int = 1) -> float:
    """Return the mean seconds of calls in a row, the device's work included."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    synchronize()
    return (time.perf_counter() - start) / repeats


def warm_up(call: Callable[[], object]) -> list[float]:
    """Call until two calls in a row take the same time, or ``MOST_WARM`` times; return the seconds of each."""
    seconds: list[float] = []
    while len(seconds) < MOST_WARM and not (len(seconds) >= LEAST_WARM and _agree(*seconds[-2:])):
        seconds.append(timed(call))
    return seconds


def measure(call: Callable[[], object], timings: int) -> dict[str, Any]:
    """Warm up, then time.

    Returns:
        ``seconds`` of a call, one figure per timing; ``start``, the seconds that the first calls took beyond those of
        warm ones (kernels are chosen, networks compiled); ``memory`` and ``memory_start``, the peak in bytes of the
        timed calls and of everything before: of a GPU's tensors, elsewhere of the process.
    """
    first = warm_up(call)
    start_memory = peak_memory()
    forget_peak()
    repeats = max(1, math.ceil(SHORTEST / first[-1]))
    seconds = [timed(call, repeats) for _ in range(timings)]
    start = max(0.0, sum(first) - len(first) * statistics.median(seconds))
    return {"seconds": seconds, "start": start, "memory": peak_memory(), "memory_start": start_memory}


def forget_peak() -> None:
    """Let ``peak_memory`` count from now on, where the system can."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    else:
        with contextlib.suppress(OSError):  # not Linux
            CLEAR_REFS.write_text("5")


def peak_memory() -> int:
    """Return the most bytes that were in use: of a GPU's tensors, elsewhere of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated()
    if STATUS.exists():  # not getrusage, which remembers the process that started this one
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _agree(one: float, other: float) -> bool:
    return abs(one - other) <= AGREED * max(one, other)
