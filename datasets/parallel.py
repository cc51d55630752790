"""Do one thing to many files in several processes, with a progress bar; the first error ends it."""

import os
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tqdm import tqdm

from options.errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")
MOST_PROCESSES = 8  # beyond that the disk is the limit


def usual_processes() -> int:
    """Choose how many processes to use: those this program may run on, at most ``MOST_PROCESSES``."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(MOST_PROCESSES, allowed)


def for_each(
    work: Callable[[Item], Result], items: Sequence[Item], *, processes: int, what: str, unit: str
) -> list[Result]:
    """Give ``work`` of every item, in order.

    Args:
        work: a function of a module or a ``partial`` of one, so that it can be sent to other processes.
        processes: 1 works in this one.

    Raises:
        UserError: a process died; whatever ``work`` raises comes through.
    """
    if processes < 1:
        raise UserError(f"--processes {processes} is below 1; give 1 or more")
    if processes == 1:
        return [work(item) for item in tqdm(items, desc=what, disable=None, unit=unit)]
    pool = ProcessPoolExecutor(processes, initializer=_leave_interrupts_to_the_parent)
    try:
        results = pool.map(work, items, chunksize=8)
        return list(tqdm(results, total=len(items), desc=what, disable=None, unit=unit))
    except BrokenProcessPool as error:
        raise UserError(f"a process died while {what}, perhaps for want of memory; use a single process") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
