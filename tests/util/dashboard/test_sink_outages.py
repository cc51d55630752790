"""The dashboard's sink while its server fails: one line for each outage, few attempts, and nothing is lost."""

import logging
import threading
import time
from collections.abc import Callable

import pytest

from tests.util.dashboard.fake_visdom import fake_visdom
from tests.util.dashboard.servers import wait_for
from tests.util.dashboard.sinks_under_test import make_sink, numbered, positions, source, warnings
from tests.util.sinks.events import images, samples, scalars
from util.dashboard import sink as module

pytest.importorskip("visdom")
pytestmark = pytest.mark.usefixtures("quick")


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the sink rests, time after time."""
    asked = []
    wait_for_it = threading.Condition.wait_for

    def watched(self: threading.Condition, predicate: Callable[[], bool], timeout: float | None = None) -> bool:
        if timeout is not None and threading.current_thread().name == "visdom":
            asked.append(timeout)
        return wait_for_it(self, predicate, timeout)

    monkeypatch.setattr(threading.Condition, "wait_for", watched)
    return asked


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (500, "oops", "it answers 500"),
        (200, "true", "it did not accept window 1-status"),
    ],
)
def test_a_server_that_fails_costs_one_line(
    status: int, body: str, reason: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with fake_visdom(status, body) as server:
        sink = make_sink(server.port)
        for number in range(1, 30):
            sink.scalars(scalars(number))
            sink.images(images())
        wait_for(lambda: sum(asked.endpoint == "run" for asked in server.asked) > 3)  # attempts
        sink.close()
    assert [(record.name, record.levelname) for record in caplog.records] == [(module.__name__, "WARNING")]
    assert caplog.messages == [
        f"no Visdom dashboard at http://localhost:{server.port} ({reason}); the run goes on and tries again; "
        f"to start a server: python -m util.dashboard --port {server.port}"
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("login", ["", "x"])
def test_no_server_costs_one_line(
    login: str,
    free_port: int,
    rests: list[float],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("VISDOM_USERNAME", "VISDOM_PASSWORD"):
        monkeypatch.setenv(name, login)
    sink = make_sink(free_port, before=[scalars(1)])
    wait_for(lambda: len(rests) > 4)
    sink.close()
    (message,) = caplog.messages
    assert "(nothing answers there)" in message
    assert capfd.readouterr() == ("", "")


def test_pauses_double_up_to_the_longest_and_begin_anew_after_an_outage(
    rests: list[float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(module, "REST_SECONDS", 0.01)
    with fake_visdom(500) as server:
        sink = make_sink(server.port)
        wait_for(lambda: len(rests) >= 7)
        assert rests[:7] == [0, 0.02, 0.04, 0.08, 0.1, 0.1, 0.1]
        times = [asked.time for asked in server.asked if asked.endpoint == "run"]
        for rest, begin, end in zip(rests[1:], times, times[1:], strict=False):
            assert end - begin >= 0.9 * rest
        server.behave()
        wait_for(lambda: caplog.messages[1:])
        wait_for(lambda: rests[-1] == 0.01)
        server.status = 500
        del rests[:]
        sink.scalars(scalars(1))
        wait_for(lambda: len(rests) >= 2)
        assert rests[:2] == [0.02, 0.04]


def test_news_do_not_shorten_a_pause_but_the_end_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 60)
    monkeypatch.setattr(module, "LONGEST_PAUSE", 60)
    with fake_visdom(500) as server:
        sink = make_sink(server.port)
        wait_for(lambda: caplog.messages)
        for number in range(1, 50):
            sink.scalars(scalars(number))
            sink.images(images())
            sink.samples(samples())
        time.sleep(0.1)  # a chance to do wrong
        assert len(server.asked) == 1
        server.behave()
        sink.close()
        assert len(positions(server)) == 49


def test_after_an_outage_everything_is_there_and_it_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    with fake_visdom() as server:
        sink = make_sink(server.port)

        def report(numbers: range, sheet: int) -> None:
            for number in numbers:
                sink.scalars(scalars(number))
            sink.samples(numbered(sheet))

        for outage in (1, 2):
            reported = 30 * outage - 20
            report(range(reported - 9, reported + 1), 2 * outage)
            wait_for(lambda count: len(positions(server)) == count, reported)
            wait_for(lambda number: source(numbered(number)) in str(server.windows), 2 * outage)
            server.status = 500
            report(range(reported + 1, reported + 11), 2 * outage + 1)
            wait_for(lambda count: len(warnings(caplog)) == count, outage)
            attempts = len(server.asked)
            for number in range(reported + 11, reported + 21):
                sink.scalars(scalars(number))
            wait_for(lambda count: len(server.asked) > count, attempts + 2)
            with server.lock:
                server.windows.clear()  # it was restarted
            server.behave()
            wait_for(lambda count: sum("is back" in message for message in caplog.messages) == count, outage)
        sink.close()
        assert positions(server) == [number / 4 for number in range(1, 61)]
        assert server.images("1-samples") == [source(numbered(number)) for number in (2, 3, 4, 5)]
    url = f"http://localhost:{server.port}/env/run"
    back = f"Visdom dashboard is back: {url}"
    said = [message for message in caplog.messages if message not in warnings(caplog)]
    assert said == [f"Visdom dashboard: {url}", back, back, f"Visdom dashboard saved: {url}"]
    assert len(warnings(caplog)) == 2


def test_a_single_window_that_is_refused_costs_one_line_and_not_those_before_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with fake_visdom() as server:
        answer = server.answer
        refuse = lambda asked: "no" if asked.message.get("win") == "1-accuracy" else answer(asked)  # noqa: E731
        monkeypatch.setattr(server, "answer", refuse)
        sink = make_sink(server.port)
        for number in range(1, 5):
            sink.scalars(scalars(number)._replace(accuracies={"D_A_real": 0.5}))
        wait_for(lambda: sum(asked.endpoint == "run" for asked in server.asked) > 2)
        sink.close()
        assert len(positions(server)) == 4
    (message,) = warnings(caplog)
    assert "it did not accept window 1-accuracy" in message


def test_the_end_during_an_outage_is_one_last_attempt(
    free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 60)
    sink = make_sink(free_port)
    wait_for(lambda: caplog.messages)
    sink.scalars(scalars(1))
    sink.close()
    assert not sink._thread.is_alive()
    assert len(caplog.messages) == 1


def test_a_server_that_cannot_be_started_is_tried_once(
    free_port: int, rests: list[float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    attempts = []

    def fail(port: int, **_: object) -> None:
        attempts.append(port)
        raise ConnectionError("the Visdom server did not start")

    monkeypatch.setattr("util.dashboard.server.start_background", fail)
    sink = make_sink(free_port, start_server=True)
    wait_for(lambda: len(rests) > 4)
    sink.close()
    assert attempts == [free_port]
    (message,) = caplog.messages
    assert "(the Visdom server did not start)" in message


@pytest.mark.parametrize("address", ["http://127.0.0.2", "localhost/visdom"])
def test_a_server_that_is_not_plainly_ours_is_not_started(
    address: str, free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise AssertionError("a server was started")

    monkeypatch.setattr("util.dashboard.server.start_background", fail)
    make_sink(free_port, server=address, start_server=True)
    wait_for(lambda: caplog.messages)
    assert "(nothing answers there)" in caplog.messages[0]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
