import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.util.dashboard.servers import Serve, wait_for
from util.dashboard.server import listens


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


@pytest.fixture(autouse=True)
def _no_downloads(monkeypatch) -> None:
    """Let no server change the installed visdom."""
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")


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
            pipe.close()
