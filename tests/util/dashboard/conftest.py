import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.util.dashboard.servers import Serve, wait_for
from tests.util.dashboard.sinks_under_test import MADE
from util.dashboard.server import listens


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield int(holder.getsockname()[1])


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no server change the installed visdom."""
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Shorten a sink's pauses, listen to everything, also where a test has quietened the dashboard; close all sinks."""
    for name, value in (("REST_SECONDS", 0.02), ("REST_FACTOR", 0), ("FIRST_PAUSE", 0.05), ("LONGEST_PAUSE", 0.1)):
        monkeypatch.setattr(f"util.dashboard.sink.{name}", value)
    # However busy this machine is, it is not that which decides.
    monkeypatch.setattr("util.dashboard.sink.CLOSE_SECONDS", 30)
    # Longer than a fake server holds a request: a call that waits for the server cannot go unnoticed.
    monkeypatch.setattr("util.dashboard.client.TIMEOUT", (60.0, 60.0))
    caplog.set_level(logging.DEBUG, logger="util.dashboard")
    yield
    monkeypatch.setattr("util.dashboard.sink.CLOSE_SECONDS", 0.1)
    while MADE:
        MADE.pop().close()


@pytest.fixture
def envs(tmp_path: Path) -> Path:
    """Where the servers keep their environments."""
    return tmp_path / "envs"


@pytest.fixture
def serve(free_port: int, envs: Path) -> Iterator[Serve]:
    """Run a server in the foreground, as typed; all of them end with the test."""
    processes = []

    def start(*flags: str, **variables: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "util.dashboard", "--port", str(free_port), "--env_path", str(envs), *flags]
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, cwd=PROJECT, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env={**os.environ, **variables}
        )
        processes.append(process)
        wait_for(lambda: listens(free_port) or process.poll() is not None)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait(10)
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe:
                pipe.close()
