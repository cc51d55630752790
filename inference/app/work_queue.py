"""One piece of work at a time, first come, first served: a device gains nothing by two, and memory suffers."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from options.errors import UserError

T = TypeVar("T")


class BusyError(UserError):
    """Too many wait already."""


class WorkQueue:
    """A thread that does what it is given, in order.

    Attributes:
        is_busy: whether it is in the middle of something. Python cannot end then: it would abort.
    """

    def __init__(self, most_waiting: int) -> None:
        self.is_busy = False
        self._most = most_waiting
        self._waiting: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, name="translations", daemon=True).start()

    def submit(self, work: Callable[[], T], *, patient: bool = False) -> "Future[T]":
        """Queue some work; a cancelled future's turn is left out.

        Args:
            patient: wait however many do already.

        Raises:
            BusyError: too many wait.
        """
        if not patient:
            self.refuse_if_full()
        future: Future[T] = Future()
        self._waiting.put((future, work))
        return future

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting.qsize()

    def refuse_if_full(self) -> None:
        """Raise a BusyError if too many wait."""
        if self.waiting >= self._most:
            raise BusyError(f"{self._most} others are waiting already; try again in a minute")

    def _work(self) -> None:
        while True:
            future, work = self._waiting.get()
            if not future.set_running_or_notify_cancel():
                continue
            self.is_busy = True
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001  # whoever waits for the future gets it
                future.set_exception(error)
            self.is_busy = False
            del future, work  # or an image would stay until the next one comes
