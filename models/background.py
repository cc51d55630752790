"""One job at a time beside the main thread."""

import contextlib
import os
import sys
import threading
from collections.abc import Callable

NICENESS = 19  # a training that computes on the CPU goes first; while it waits for us, cores are free


class Background:
    """Runs jobs in a thread; a second one waits until the first is done, so that they never overlap."""

    def __init__(self) -> None:
        self._done = threading.Event()
        self._done.set()
        self._error: BaseException | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Wait for the job before, then run this one in the background."""
        self.wait()
        self._done.clear()
        threading.Thread(target=self._run, args=(job,), name="saving").start()

    def wait(self) -> None:
        """Return when nothing is running; raise what the last job raised."""
        self._done.wait()  # not Thread.join, which a signal handler that raises leaves in disorder
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self, job: Callable[[], None]) -> None:
        try:
            let_others_go_first()
            job()
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            self._error = error
        finally:
            self._done.set()


def let_others_go_first() -> None:
    """Lower the priority of this thread, where a thread has one of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # some sandboxes forbid it
            nice = max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0))
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
