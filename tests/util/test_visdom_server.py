import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from util import visdom_server
from util.visdom_server import ROOT, answers, listens, start_background

pytest.importorskip("visdom")


@pytest.fixture
def taken_port() -> int:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_a_port_that_is_taken_is_one_sentence_and_exit_code_2(taken_port: int, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "util.visdom_server", "--port", str(taken_port), "--env_path", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"port {taken_port}" in done.stderr


def test_a_server_that_cannot_start_is_reported(taken_port: int, tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=f"did not start on port {taken_port}"):
        start_background(taken_port, env_path=tmp_path)


def test_a_program_that_hangs_has_the_port_but_does_not_answer(taken_port: int) -> None:
    assert listens(taken_port)
    assert not answers("http://localhost", taken_port, timeout=0.2)


def test_it_starts_from_any_folder_and_is_reachable_from_this_machine_only(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    assert not listens(port)
    pid = start_background(port, env_path=tmp_path / "envs")
    try:
        assert answers("localhost", port, timeout=5)
        with socket.socket() as other, pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", port))  # another address of the loopback: nothing listens on "all"
    finally:
        os.kill(pid, signal.SIGKILL)


def test_missing_browser_files_are_said_in_one_line(tmp_path: Path, monkeypatch, caplog) -> None:
    def offline() -> None:
        raise ConnectionError("no network")

    monkeypatch.setattr("visdom.server.build.download_scripts", offline)
    monkeypatch.setattr(visdom_server, "_static_folder", lambda: tmp_path)
    visdom_server._fetch_browser_files()
    assert len(caplog.messages) == 1
    assert "stay blank" in caplog.text
