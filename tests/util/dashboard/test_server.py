"""Real servers in processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.util.dashboard.servers import Serve, kill, post, runs, show, shown, wait_for
from util.dashboard import browser_files, server
from util.dashboard.server import BackgroundServer, listens, start_background

pytest.importorskip("visdom")

STARTER = """
import os, sys, time
from util.dashboard.server import start_background
server = start_background({port}, env_path=__import__("pathlib").Path({envs!r}), ends_with_me={ends_with_me})
child = os.fork()  # like a worker that loads data: it holds what its parent has open
if child:
    print(server.pid, child, flush=True)
time.sleep(60)
"""


@pytest.fixture
def background(free_port: int, envs: Path) -> Iterator[BackgroundServer]:
    """A server that outlives its starter."""
    started = start_background(free_port, env_path=envs)
    yield started
    kill(started)


def test_of_two_servers_that_start_at_once_only_one_believes_it_did(
    background: BackgroundServer, free_port: int, envs: Path
) -> None:
    assert listens(free_port)
    with pytest.raises(ConnectionError, match=rf"did not start on port {free_port}: .* already in use"):
        start_background(free_port, env_path=envs)


def test_it_starts_from_any_folder_and_is_reachable_from_this_machine_only(
    free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not listens(free_port)
    started = start_background(free_port, env_path=Path("envs"))
    try:
        assert listens(free_port)
        with socket.socket() as other, pytest.raises(OSError, match="refused"):
            other.connect(("127.0.0.2", free_port))  # another address of the loopback: nothing listens on "all"
        assert (tmp_path / "envs" / "main.json").is_file()
    finally:
        started.stop()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("ends_with_me", [True, False])
def test_a_server_ends_with_its_starter_if_asked_to(free_port: int, envs: Path, ends_with_me: bool) -> None:
    code = STARTER.format(port=free_port, envs=str(envs), ends_with_me=ends_with_me)
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    assert starter.stdout
    pid, child = map(int, starter.stdout.readline().split())
    try:
        show(free_port, "run", "before the end")
        starter.kill()
        starter.wait(10)
        if ends_with_me:
            wait_for(lambda: not listens(free_port), seconds=5)
            wait_for((envs / "run.json").is_file)
        else:
            time.sleep(1)
            assert shown(free_port, "run") == "before the end"
    finally:
        for left in (child, pid):
            if runs(left):
                os.kill(left, signal.SIGKILL)
        starter.stdout.close()


@pytest.mark.parametrize("ends_with_me", [True, False])
def test_stopping_saves_and_leaves_no_zombie(free_port: int, envs: Path, ends_with_me: bool) -> None:
    started = start_background(free_port, env_path=envs, ends_with_me=ends_with_me)
    show(free_port, "run", "hello")
    started.stop()
    assert started.process.returncode == 0
    assert not runs(started.pid)
    assert (envs / "run.json").is_file()
    started.stop()  # harmless


def test_stopping_one_that_hangs_kills_it(background: BackgroundServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STOP_SECONDS", 0.2)
    os.kill(background.pid, signal.SIGSTOP)
    background.stop()
    assert not runs(background.pid)


def test_one_that_was_killed_is_no_zombie(background: BackgroundServer) -> None:
    os.kill(background.pid, signal.SIGKILL)
    wait_for(lambda: not runs(background.pid))


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="needs priorities")
def test_a_background_server_gives_way_to_the_training(background: BackgroundServer) -> None:
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    wait_for(lambda: os.getpriority(os.PRIO_PROCESS, background.pid) == min(19, mine + 10))


def test_one_that_says_nothing_is_given_up(free_port: int, envs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_SECONDS", 0.05)
    with pytest.raises(ConnectionError, match="it says nothing"):
        start_background(free_port, env_path=envs)
    assert not listens(free_port)


@pytest.mark.parametrize("end", ["SIGTERM", "SIGINT", "SIGHUP", "stdin"])
def test_what_it_shows_comes_back_after_it_was_ended(serve: Serve, free_port: int, envs: Path, end: str) -> None:
    first = serve(*["--ends_with_stdin"] * (end == "stdin"))
    show(free_port, "run", "hello")
    assert first.stdin
    assert first.stdout
    assert first.stderr
    if end == "stdin":
        first.stdin.close()
    else:
        first.send_signal(signal.Signals[end])
    assert first.wait(10) == 0
    assert f"environments saved in {envs}: 2" in first.stdout.read()
    complaints = [line for line in first.stderr if "the dashboard's page stays blank" not in line]
    assert complaints == []  # but for files of the page, which not every machine can fetch
    serve()
    assert shown(free_port, "run") == "hello"


def test_what_nobody_looked_at_is_not_written_again(serve: Serve, free_port: int, envs: Path) -> None:
    envs.mkdir()
    text = '{"jsons":  {}, "reload":  {}}'  # with two blanks, which nobody else writes
    for name in ("main", "old"):
        (envs / f"{name}.json").write_text(text)
    first = serve()
    show(free_port, "run", "hello")
    post(free_port, "save", {"data": ["main"]})
    first.terminate()
    assert first.wait(10) == 0
    assert (envs / "old.json").read_text() == text
    assert json.loads((envs / "main.json").read_text()) == {"jsons": {}, "reload": {}}


def test_files_that_stay_missing_are_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(browser_files, "static_folder", lambda: tmp_path)
    server._complete_page()
    assert len(caplog.messages) == 1
    assert "stays blank" in caplog.text
    assert "python -m util.dashboard files --from FOLDER" in caplog.text
