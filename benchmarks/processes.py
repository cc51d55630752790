"""Processes that a benchmark starts, and what it can say of those that fail."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
OUT_OF_MEMORY = ("out of memory", "outofmemoryerror", "can't allocate memory", "memoryerror")


class FailedError(Exception):
    """A process did not get to its end; the message is the reason, in a few words or a line."""


def in_own_process(
    module: str, words: Sequence[str], *, seconds: float = 0.0, env: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Run one side of a benchmark in a fresh process and return its figures, the last line that it prints.

    Args:
        module: what to run, with ``words`` as its command line.
        seconds: how long it may take; 0 sets no limit.
        env: variables beside those of this process.

    Raises:
        FailedError: it ran out of memory or time, or ended with an error.
    """
    command = [sys.executable, "-m", module, *words]
    lines = [text for _, text in lines_of(command, cwd=PROJECT, env=env, seconds=seconds)]
    if not lines:
        raise FailedError("it printed no figures")
    result: dict[str, Any] = json.loads(lines[-1])
    return result


def lines_of(
    command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, seconds: float = 0.0
) -> Iterator[tuple[float, str]]:
    """Run a program and yield its lines with the time at which each came, seconds of ``time.perf_counter``.

    Raises:
        FailedError: as in ``in_own_process``.
    """
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # so that its loading and compiling processes end with it
        )
        late = threading.Event()

        def stop() -> None:
            late.set()
            _end(process)

        timer = threading.Timer(seconds or threading.TIMEOUT_MAX, stop)
        timer.start()
        try:
            assert process.stdout is not None
            for line in process.stdout:
                yield time.perf_counter(), line.rstrip("\n")
            code = process.wait()
        finally:
            timer.cancel()
            _end(process)
        if late.is_set():
            raise FailedError(f"over {seconds:g} s")
        if code:
            errors.seek(0)
            raise FailedError(_reason(code, errors.read()))


def end_children_too() -> None:
    """Let a termination of this process end what it has started, as an interrupt does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def free_port() -> int:
    """Return a port of this machine that no program listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _end(process: "subprocess.Popen[str]") -> None:
    """Kill a process and those that it has started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _reason(code: int, errors: str) -> str:
    """Say in a few words why a process ended."""
    if code == -9 or any(words in errors.lower() for words in OUT_OF_MEMORY):
        return "out of memory"
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return lines[-1].removeprefix("options.errors.UserError: ")[:300] if lines else f"exit code {code}"
