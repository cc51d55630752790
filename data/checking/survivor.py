"""Do one thing to many files in several processes, and go on where a file kills the process that reads it."""

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tqdm import tqdm

from options.errors import UserError

Result = TypeVar("Result")

UNDER_WAY = 4  # files for each process, so that none waits and little memory is taken


def for_all(
    work: Callable[[str], Result], paths: Sequence[str], *, processes: int, what: str
) -> Iterator[tuple[int, Result | None]]:
    """Yield the position of each file and what ``work`` says of it, as they are done; None where its process died.

    Args:
        work: a function of a module, or a ``partial`` of one.
        what: before the progress bar.
    """
    if processes < 1:
        raise UserError(f"--threads {processes} is below 1; give 1 or more")
    results = _surviving(work, paths, processes)
    yield from tqdm(results, total=len(paths), desc=what, disable=None, unit="file")


def _surviving(
    work: Callable[[str], Result], paths: Sequence[str], processes: int
) -> Iterator[tuple[int, Result | None]]:
    begun = 0
    while begun < len(paths):
        under_way: dict[Future[Result], int] = {}
        with _pool(processes) as pool:
            try:
                while begun < len(paths) or under_way:
                    while begun < len(paths) and len(under_way) < UNDER_WAY * processes:
                        under_way[pool.submit(work, paths[begun])] = begun
                        begun += 1
                    for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        yield under_way.pop(future), result
            except BrokenProcessPool:  # it does not say which file did it
                pass
        for position in under_way.values():
            with _pool(1) as pool:
                try:
                    result_or_none = pool.submit(work, paths[position]).result()
                except BrokenProcessPool:
                    result_or_none = None
            yield position, result_or_none


def _pool(processes: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(processes, initializer=_leave_interrupts_to_the_parent)


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
