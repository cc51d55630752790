"""One job at a time beside the main thread."""

import os
import sys
import threading
from collections.abc import Callable

NICENESS = 10  # a training that computes on the CPU goes first


class Background:
    """Runs jobs in a thread; a second one waits until the first is done, so that they never overlap."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Wait for the job before, then run this one in the background."""
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(job,), name="saving")
        self._thread.start()

    def wait(self) -> None:
        """Return when nothing is running; raise what the last job raised."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _run(self, job: Callable[[], None]) -> None:
        if sys.platform == "linux":  # where a thread has a niceness of its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            job()
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            self._error = error
