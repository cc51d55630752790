"""Run a program as a child that ends with this process, its words in a log file."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from util.stop import raising, stop_signals

PROJECT = Path(__file__).resolve().parents[1]
PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux' prctl
TAIL = 4096  # bytes
ENDINGS = tuple(number for number in stop_signals() if number != signal.SIGINT)  # Ctrl-C raises by itself


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
            with raising(*ENDINGS):
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


def _end_with_parent() -> None:
    """Ask Linux to end this process, the child, when its parent is gone."""
    ctypes.CDLL(None).prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _last_line(log: Path, start: int) -> str:
    """Return the last words that were added to a log since ``start``."""
    with log.open("rb") as file:
        file.seek(max(start, os.fstat(file.fileno()).st_size - TAIL))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
