"""Run a program as a child that ends with this process, its words in a log file."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from options.errors import StoppedError
from util.stop import stop_signals

PROJECT = Path(__file__).resolve().parents[1]
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux' prctl
TAIL = 4096  # bytes


class FailedError(Exception):
    """A program did not get to its end; the message is its last line."""


def run(program: str, words: Sequence[str], log: Path) -> None:
    """Run one of the project's programs and wait for it.

    What it says is added to ``log``. If this process is asked to stop, the child is, once, and waited for: a training
    saves. If this process is killed, Linux asks the child to stop.

    Args:
        program: file name, such as ``train.py``.

    Raises:
        FailedError: it ended with another exit code than 0.
        StoppedError, KeyboardInterrupt: this process was asked to stop.
    """
    with log.open("ab") as file:
        start = file.tell()
        child = subprocess.Popen(
            [sys.executable, str(PROJECT / program), *words],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C reaches it by way of this process alone
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        )
        try:
            with _signals_raise():
                code = child.wait()
        finally:
            if child.poll() is None:
                _stop(child)
    if code:
        raise FailedError(_last_line(log, start) or f"exit code {code}")


def _stop(child: "subprocess.Popen[bytes]") -> None:
    """Let a child save and end; a second Ctrl-C ends it at once."""
    child.terminate()
    try:
        child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let the signals that ask for an end raise; Ctrl-C does so by itself."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise StoppedError(signal.Signals(number).name, 128 + number)

    numbers = [number for number in stop_signals() if number != signal.SIGINT]
    before = {
        number: signal.signal(number, stop) for number in numbers if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_with_parent() -> None:
    """Ask Linux to end this process, the child, when its parent is gone."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _last_line(log: Path, start: int) -> str:
    """Return the last words that were added to a log since ``start``."""
    with log.open("rb") as file:
        file.seek(max(start, os.fstat(file.fileno()).st_size - TAIL))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
