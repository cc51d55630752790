import logging
import sys
import threading
import time
from collections.abc import Callable

import pytest

from tests.util.sinks.events import pictures, scalars
from tests.util.sinks.fake_visdom import fake_visdom
from util.sinks import visdom as module
from util.sinks.visdom import VisdomSink, environment_name, server_url

pytest.importorskip("visdom")


def make_sink(port: int, **options) -> VisdomSink:
    defaults = {"server": "http://localhost", "env": "run", "name": "run", "ncols": 4, "window_id": 1, "history": []}
    return VisdomSink(port=port, start_server=False, **(defaults | options))


def wait_for(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def _patience(monkeypatch, caplog) -> None:
    """Shorten the pauses, and listen to everything."""
    monkeypatch.setattr(module, "REST_SECONDS", 0.02)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.1)
    caplog.set_level(logging.DEBUG)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, "oops", "HTTPError"),
        (404, "", "HTTPError"),
        (200, "", "not a Visdom"),
        (200, "true", "did not accept window 1"),
    ],
)
def test_a_server_that_fails_costs_one_line(status: int, body: str, reason: str, caplog, capfd) -> None:
    with fake_visdom(status, body) as server:
        sink = make_sink(server.port)
        for number in range(1, 30):
            sink.scalars(scalars(number))
            sink.images(pictures())
            time.sleep(0.01)
        wait_for(lambda: caplog.records)
        sink.close()
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.name for record in warnings] == [module.__name__]
    message = warnings[0].getMessage()
    assert reason in message
    assert f"http://localhost:{server.port}" in message
    assert f"python -m util.visdom_server --port {server.port}" in message
    assert capfd.readouterr() == ("", "")


def test_no_server_costs_one_line(free_port: int, caplog, capfd) -> None:
    sink = make_sink(free_port, history=[scalars(1)])
    time.sleep(0.5)  # several attempts
    sink.close()
    assert len(caplog.messages) == 1
    assert "no Visdom dashboard" in caplog.text
    assert not sink._thread.is_alive()
    assert capfd.readouterr() == ("", "")


def test_a_hanging_server_blocks_nothing(monkeypatch, caplog) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.3)
    with fake_visdom(hangs=True) as server:
        sink = make_sink(server.port)
        assert server.asked.wait(10)
        start = time.monotonic()
        for number in range(1, 1001):
            sink.scalars(scalars(number))
            sink.images(pictures())
        sink.close()
        assert time.monotonic() - start < 5  # the time-out of one request is 10
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "does not answer" in caplog.text
        server.go.set()
        sink._thread.join(10)
    assert len(caplog.records) == 1  # nothing after close


def test_a_server_that_cannot_be_started_is_tried_once(free_port: int, monkeypatch, caplog) -> None:
    attempts = []

    def fail(port: int) -> int:
        attempts.append(port)
        raise ConnectionError("the Visdom server did not start")

    monkeypatch.setattr("util.visdom_server.start_background", fail)
    sink = VisdomSink(server="localhost", port=free_port, env="", name="", ncols=4, window_id=1, history=[])
    time.sleep(0.4)
    sink.close()
    assert attempts == [free_port]
    assert len(caplog.messages) == 1
    assert "did not start" in caplog.text


def test_without_visdom_the_sink_says_how_to_install_it_and_does_nothing(monkeypatch, caplog) -> None:
    monkeypatch.setitem(sys.modules, "visdom", None)
    monkeypatch.delitem(sys.modules, "util.sinks.visdom_client", raising=False)
    sink = make_sink(1)
    sink.scalars(scalars(1))
    sink.images(pictures())
    sink.close()
    assert len(caplog.messages) == 1
    assert "pip install" in caplog.text


def test_the_thread_does_not_keep_the_process_alive(free_port: int) -> None:
    sink = make_sink(free_port)
    assert sink._thread.daemon
    assert sink._thread in threading.enumerate()
    sink.close()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("main", "main"),
        ("horse2zebra_cyclegan/run 1", "horse2zebra-cyclegan-run-1"),
        ("../x+y", "x-y"),
        ("", "main"),
        ("été", "été"),
    ],
)
def test_environment_names_are_ones_that_visdom_keeps(text: str, name: str) -> None:
    assert environment_name(text) == name


@pytest.mark.parametrize(
    ("server", "url"),
    [
        ("http://localhost", "http://localhost"),
        ("localhost", "http://localhost"),
        ("https://gpu.example.org/", "https://gpu.example.org"),
        ("::1", "http://[::1]"),
    ],
)
def test_a_server_may_come_without_a_scheme(server: str, url: str) -> None:
    assert server_url(server) == url
