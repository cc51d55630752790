"""Stopping between two steps instead of in the middle of one.

Batch schedulers end a job with SIGTERM, often after a warning by SIGUSR1; a person presses Ctrl-C or closes
the terminal. A second Ctrl-C ends the program as if nothing were in place.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from options.errors import StoppedError
from util.distributed import World

SAME_PRESS = 2.0  # seconds in which torchrun hands on a Ctrl-C that every process has had from the terminal


def stop_signals() -> list[signal.Signals]:
    """Return those signals that this system has."""
    known = signal.Signals.__members__
    return [known[name] for name in ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP") if name in known]


@contextlib.contextmanager
def raising(*signals: signal.Signals) -> Iterator[None]:
    """Let signals raise ``StoppedError`` where the program is, unless they are ignored; Ctrl-C raises by itself."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise StoppedError(signal.Signals(number).name, 128 + number)

    before = {one: signal.signal(one, stop) for one in signals if signal.getsignal(one) is not signal.SIG_IGN}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class StopSignals:
    """Notes the signals while it is entered; ``check`` raises at a moment of the caller's choice."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: signal.Signals | None = None
        self._asked_at = 0.0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():  # Python's condition
            for number in stop_signals():
                if signal.getsignal(number) is not signal.SIG_IGN:  # nohup and the like stay in force
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def check(self) -> None:
        """Raise if a signal has come, to this process or another of the training.

        Raises:
            StoppedError: naming the signal; its exit code is the customary 128 plus the signal's number.
        """
        if self._world.any(self._asked is not None):
            number = self._asked or signal.SIGTERM
            raise StoppedError(self._asked.name if self._asked else "a signal to another process", 128 + number)

    def wait(self, seconds: float) -> bool:
        """Sleep; return early, and True, when a signal has come to this process."""
        end = time.monotonic() + seconds
        while self._asked is None and time.monotonic() < end:
            time.sleep(min(0.2, seconds))
        return self._asked is not None

    def _note(self, number: int, frame: FrameType | None) -> None:
        again = self._asked is signal.SIGINT and number == signal.SIGINT
        handed_on = self._world.size > 1 and time.monotonic() - self._asked_at < SAME_PRESS
        if again and not handed_on:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        if number == signal.SIGINT and self._world.is_main:
            with contextlib.suppress(OSError):  # not by the log, which may be in the middle of a line
                os.write(sys.stderr.fileno(), b"\nstopping after this step; Ctrl-C again stops at once, unsaved\n")
        if self._asked is None or (number == signal.SIGINT and not again):
            self._asked, self._asked_at = signal.Signals(number), time.monotonic()
