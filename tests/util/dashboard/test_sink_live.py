"""The dashboard's sink against real servers: complete, and complete again after every trouble."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.util.dashboard.servers import kill, post, wait_for
from tests.util.dashboard.sinks_under_test import (
    ALL,
    drawn,
    gray,
    make_sink,
    numbered,
    points,
    source,
    tell,
    warnings,
    windows,
)
from tests.util.sinks.events import scalars
from util.curves.history import History
from util.dashboard import client
from util.dashboard.saved import Sheets
from util.dashboard.server import BackgroundServer, start_background
from util.dashboard.sink import VisdomSink
from util.images import jpeg
from util.sinks.events import read_events
from util.sinks.jsonl import JsonLinesSink

pytest.importorskip("visdom")
pytestmark = pytest.mark.usefixtures("quick")

Start = Callable[[str], BackgroundServer]


@pytest.fixture
def start(free_port: int, tmp_path: Path) -> Iterator[Start]:
    """Start a server on the free port, with a folder of the given name; all of them end with the test."""
    servers = []

    def start_server(folder: str) -> BackgroundServer:
        servers.append(start_background(free_port, env_path=tmp_path / folder))
        return servers[-1]

    yield start_server
    for server in servers:
        kill(server)


def shows(port: int, number: int) -> bool:
    """Tell whether everything up to the number-th report is there."""
    shown = windows(port)
    sheets = shown.get("1-samples", {"content": ""})["content"]
    return set(shown) == ALL and len(points(port)) == number and source(numbered(number)) in str(sheets)


def told_once(port: int, caplog: pytest.LogCaptureFixture) -> VisdomSink:
    """Return a sink of which the server has shown a first report."""
    sink = make_sink(port)
    tell(sink, 1)
    wait_for(lambda: caplog.messages)
    wait_for(lambda: shows(port, 1))
    return sink


def test_the_dashboard_is_complete(
    start: Start, free_port: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    start("envs")
    sink = make_sink(free_port, env="马-🐎", before=[scalars(1), scalars(2)])
    for number in (3, 4):
        tell(sink, number)
    sink.close()
    shown = windows(free_port, "马-🐎")
    assert set(shown) == ALL
    assert drawn(shown["1-gan"]["content"]["data"], "D_A") == ([0.25, 0.5, 0.75, 1.0], [0.1, 0.2, 0.3, 0.4])
    assert [image["src"] for image in shown["1-samples"]["content"]] == [source(numbered(n)) for n in (3, 4)]
    assert shown["1-current"]["content"]["src"].startswith("data:image/jpeg;base64,")
    assert "epoch 1 of 100" in shown["1-status"]["content"]
    assert [window["title"] for window in shown.values() if window["id"] == "1-status"] == ["run"]
    assert (tmp_path / "envs" / "马-🐎.json").is_file()  # saved at the end
    url = f"http://localhost:{free_port}/env/马-🐎"
    assert caplog.messages == [f"Visdom dashboard: {url}", f"Visdom dashboard saved: {url}"]


def test_a_killed_server_that_comes_back_empty_shows_every_point_again(
    start: Start, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    first = start("envs")
    sink = told_once(free_port, caplog)
    kill(first)
    tell(sink, 2)
    wait_for(lambda: warnings(caplog))
    tell(sink, 3)
    start("empty")
    wait_for(lambda: "is back" in caplog.text)
    wait_for(lambda: shows(free_port, 3))
    sink.close()
    assert points(free_port) == [0.25, 0.5, 0.75]
    assert len(windows(free_port)["1-samples"]["content"]) == 3
    assert len(warnings(caplog)) == 1


def test_a_restart_that_nobody_noticed_is_healed_by_the_next_report(
    start: Start, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    first = start("envs")
    sink = told_once(free_port, caplog)
    kill(first)
    start("empty")
    sink.scalars(scalars(2))
    sink.close()
    assert set(windows(free_port)) == ALL
    assert points(free_port) == [0.25, 0.5]
    assert warnings(caplog) == []


def test_a_server_that_was_suspended_is_complete_afterwards(
    start: Start, free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(client, "TIMEOUT", (0.3, 0.3))
    server = start("envs")
    sink = told_once(free_port, caplog)
    os.kill(server.pid, signal.SIGSTOP)
    for number in (2, 3):
        tell(sink, number)
    wait_for(lambda: warnings(caplog))
    tell(sink, 4)
    monkeypatch.setattr(client, "TIMEOUT", (5.0, 5.0))
    os.kill(server.pid, signal.SIGCONT)
    wait_for(lambda: "is back" in caplog.text)
    sink.close()
    assert points(free_port) == [0.25, 0.5, 0.75, 1.0]
    shown = windows(free_port)
    assert set(shown) == ALL
    assert [image["src"] for image in shown["1-samples"]["content"]] == [source(numbered(n)) for n in (1, 2, 3, 4)]
    (message,) = warnings(caplog)
    assert "it does not answer in time" in message


def test_a_server_that_comes_back_with_an_old_state_is_complete_too(
    start: Start, free_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    first = start("envs")
    sink = make_sink(free_port)
    tell(sink, 1)
    sink.close()  # saved
    sink = make_sink(free_port, before=[scalars(1)], sheets=Sheets([jpeg(numbered(1).sheet)]), images=gray(1))
    tell(sink, 2)
    wait_for(lambda: shows(free_port, 2))
    kill(first)
    start("envs")
    tell(sink, 3)
    sink.close()
    assert [image["src"] for image in windows(free_port)["1-samples"]["content"]] == [
        source(numbered(number)) for number in (1, 2, 3)
    ]
    assert points(free_port) == [0.25, 0.5, 0.75]


@pytest.mark.parametrize("window", ["1-status", "1-gan", "1-samples", "1-current"])
def test_a_window_that_a_reader_has_closed_is_no_outage(
    start: Start, free_port: int, caplog: pytest.LogCaptureFixture, window: str
) -> None:
    start("envs")
    sink = told_once(free_port, caplog)
    post(free_port, "close", {"eid": "run", "win": window})
    tell(sink, 2)
    sink.close()
    assert warnings(caplog) == []
    assert shows(free_port, 2)


def test_a_resumed_run_shows_what_was_before(start: Start, free_port: int, tmp_path: Path) -> None:
    start("envs")
    record, sink = JsonLinesSink(tmp_path / "metrics.jsonl", resume_at=0), make_sink(free_port)
    for number in (1, 2, 3):
        record.scalars(scalars(number))
        tell(sink, number)
    sink.close()
    JsonLinesSink(tmp_path / "metrics.jsonl", resume_at=200)  # the third will be done again
    history = History(read_events(tmp_path / "metrics.jsonl"))
    kept = Sheets(jpeg(numbered(number).sheet) for number in (1, 2))
    sink = make_sink(free_port, history=history, sheets=kept, images=gray(2))
    sink.scalars(scalars(3)._replace(position=0.8))
    sink.samples(numbered(9))
    sink.close()
    assert points(free_port) == [0.25, 0.5, 0.8]
    shown = windows(free_port)
    assert [image["src"] for image in shown["1-samples"]["content"]] == [source(numbered(n)) for n in (1, 2, 9)]
    assert shown["1-current"]["type"] == "image"
    assert "1-accuracy" not in shown, "a window of what this run does not report"
