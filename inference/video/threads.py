"""Threads beside the main one: what reads ahead of it, what works off behind it, and the newest of a stream.

Nothing piles up: whoever is faster waits. What goes wrong in a thread is raised in the main one.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Generic, TypeVar

T = TypeVar("T")
PATIENCE = 0.5  # seconds after which a wait looks around: on Windows a Ctrl-C gets through only then


class Channel(Generic[T]):
    """A queue between two threads that holds ``most`` items and can be closed from either side, with an ``error``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.error: BaseException | None = None

    def put(self, item: T) -> bool:
        """Wait for room and add an item; return False if the channel is closed."""
        with self._changed:
            while len(self._items) >= self._most and not self._closed:
                self._changed.wait(PATIENCE)
            if not self._closed:
                self._items.append(item)
                self._changed.notify_all()
            return not self._closed

    def take(self, most: int = 1) -> list[T]:
        """Return what is there, up to ``most`` items; wait for the first. Nothing: it is closed and empty.

        Raises:
            BaseException: with which it was closed; what was there before comes first.
        """
        with self._changed:
            while not (self._items or self._closed):
                self._changed.wait(PATIENCE)
            if not self._items and self.error is not None:
                raise self.error
            taken = [self._items.popleft() for _ in range(min(most, len(self._items)))]
            self._changed.notify_all()
            return taken

    def close(self, error: BaseException | None = None, *, drop: bool = False) -> None:
        """Let nothing more in; ``drop`` forgets what is in it."""
        with self._changed:
            self._closed = True
            self.error = self.error or error
            if drop:
                self._items.clear()
            self._changed.notify_all()


class ReadAhead(Generic[T]):
    """Goes through ``items`` in a thread while it is entered, at most ``most`` ahead of ``take``."""

    def __init__(self, items: Iterable[T], most: int) -> None:
        self._items, self._channel = items, Channel[T](most)
        self._thread = threading.Thread(target=self._run, name="reading", daemon=True)

    def __enter__(self) -> "ReadAhead[T]":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._channel.close(drop=True)
        self._thread.join()

    def take(self, most: int = 1) -> list[T]:
        """Return the next items, up to ``most`` of those that are there; nothing at the end.

        Raises:
            BaseException: what the items raised.
        """
        return self._channel.take(most)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._items:
                if not self._channel.put(item):
                    break
        except BaseException as caught:  # noqa: BLE001  # handed to the main thread
            error = caught
        self._channel.close(error)


class WriteBehind(Generic[T]):
    """Does ``work`` on items in a thread while it is entered; leaving waits for the rest, after an error not."""

    def __init__(self, work: Callable[[T], None], most: int) -> None:
        self._work, self._channel = work, Channel[T](most)
        self._thread = threading.Thread(target=self._run, name="writing", daemon=True)

    def __enter__(self) -> "WriteBehind[T]":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._channel.close(drop=error is not None)
        self._thread.join()
        if error is None and self._channel.error is not None:
            raise self._channel.error

    def put(self, item: T) -> None:
        """Add an item; wait while too many are there.

        Raises:
            BaseException: what the work raised.
        """
        if not self._channel.put(item):
            raise self._channel.error or RuntimeError("nothing can be added any more")

    def _run(self) -> None:
        while items := self._channel.take():
            try:
                self._work(items[0])
            except BaseException as caught:  # noqa: BLE001  # handed to the main thread
                self._channel.close(caught, drop=True)
                return


class Newest(Generic[T]):
    """The newest of a stream's items; those that nobody took in time are gone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._number = 0
        self._error: BaseException | None = None
        self._ended = False

    def put(self, item: T) -> None:
        """Replace the item."""
        with self._changed:
            self._item, self._number = item, self._number + 1
            self._changed.notify_all()

    def end(self, error: BaseException | None = None) -> None:
        """Say that nothing more will come."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def after(self, seen: int) -> tuple[int, T] | None:
        """Return the newest item and its number as soon as that is above ``seen``; None at the end.

        Raises:
            BaseException: with which it ended.
        """
        with self._changed:
            while self._number <= seen and not self._ended:
                self._changed.wait(PATIENCE)
            if self._number > seen and self._item is not None:
                return self._number, self._item
            if self._error is not None:
                raise self._error
            return None
