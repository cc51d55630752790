"""The sink against a real server."""

import json
import logging
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.util.sinks.events import pictures, scalars
from tests.util.sinks.test_visdom import make_sink, wait_for
from util.sinks import visdom as module
from util.visdom_server import answers, start_background

pytest.importorskip("visdom")

from util.sinks.visdom_client import Client


@pytest.fixture
def start(free_port: int, tmp_path: Path) -> Iterator[Callable[[], int]]:
    """Start a server on the free port; all of them end with the test."""
    pids = []

    def start_server() -> int:
        pids.append(start_background(free_port, env_path=tmp_path / "envs"))
        return pids[-1]

    yield start_server
    for pid in pids:
        kill(pid)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def windows(port: int, env: str = "run") -> dict[str, dict]:
    client = Client("http://localhost", port, env, proxies=False)
    return json.loads(client.get_window_data())


@pytest.fixture(autouse=True)
def _patience(monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "REST_SECONDS", 0.02)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.1)
    caplog.set_level(logging.INFO)


def test_the_dashboard_is_complete_and_heals_after_a_restart(start, free_port: int, tmp_path: Path, caplog) -> None:
    pid = start()
    sink = make_sink(free_port, env="a/run_1", history=[scalars(1), scalars(2)])
    sink.scalars(scalars(3))
    sink.images(pictures())
    env = "a-run-1"
    wait_for(lambda: sink._announced and set(windows(free_port, env)) == {"1", "2", "3"})
    assert f"Visdom dashboard: http://localhost:{free_port}/env/{env}" in caplog.messages

    kill(pid)
    wait_for(lambda: not answers("localhost", free_port, 1))
    sink.scalars(scalars(4))
    wait_for(lambda: "no Visdom dashboard" in caplog.text)
    start()
    wait_for(lambda: "is back" in caplog.text)
    sink.close()

    shown = windows(free_port, env)
    titles = [shown[number]["title"] for number in "123"]
    assert titles == ["run loss over time", "run images", "run labels"]
    trace = shown["1"]["content"]["data"][0]
    assert trace["x"] == [0.25, 0.5, 0.75, 1.0]
    assert trace["y"] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert shown["2"]["content"]["src"].startswith("data:image/jpeg")
    assert "fake_B" in shown["3"]["content"]
    assert (tmp_path / "envs" / f"{env}.json").is_file()  # saved at the end
    assert sum(record.levelno >= logging.WARNING for record in caplog.records) == 1


def test_a_restart_between_two_events_brings_the_pictures_back(start, free_port: int, caplog) -> None:
    pid = start()
    sink = make_sink(free_port)
    sink.images(pictures())
    wait_for(lambda: sink._announced and "3" in windows(free_port))
    kill(pid)
    wait_for(lambda: not answers("localhost", free_port, 1))
    start()
    sink.scalars(scalars(1))
    sink.close()
    assert set(windows(free_port)) == {"1", "2", "3"}


def test_without_columns_each_picture_has_a_window(start, free_port: int) -> None:
    start()
    sink = make_sink(free_port, ncols=0, window_id=5)
    sink.images(pictures())
    sink.close()
    assert {number: window["title"] for number, window in windows(free_port).items()} == {"6": "real_A", "7": "fake_B"}


def test_a_stopped_server_does_not_hold_up_the_end(start, free_port: int, monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.5)
    pid = start()
    sink = make_sink(free_port, history=[scalars(1)])
    wait_for(lambda: sink._announced)
    os.kill(pid, signal.SIGSTOP)
    sink.scalars(scalars(2))
    begin = time.monotonic()
    sink.close()
    assert time.monotonic() - begin < 4


def test_a_local_server_is_started_if_none_listens(free_port: int, monkeypatch, tmp_path: Path, caplog) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    sink = module.VisdomSink(
        server="localhost", port=free_port, env="run", name="run", ncols=4, window_id=1, history=[scalars(1)]
    )
    wait_for(lambda: sink._announced, 15)
    sink.close()
    (line,) = [message for message in caplog.messages if "server started, pid" in message]
    try:
        assert line.startswith(f"Visdom dashboard: http://localhost:{free_port}/env/run")
        assert set(windows(free_port)) == {"1"}
    finally:
        kill(int(re.search(r"pid (\d+)", line)[1]))
