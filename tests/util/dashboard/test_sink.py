"""What the dashboard's sink does to the training, which is nothing, and what it sends."""

import gc
import math
import time
import weakref

import numpy as np
import pytest

from tests.util.dashboard.fake_visdom import fake_visdom
from tests.util.dashboard.servers import wait_for
from tests.util.dashboard.sinks_under_test import drawn, gray, make_sink, numbered, positions, source, warnings
from tests.util.sinks.events import images, samples, scalars
from util.dashboard import sink as module
from util.sheet import in_rows, sheet
from util.sinks.events import Samples, Scores

pytest.importorskip("visdom")
pytestmark = pytest.mark.usefixtures("quick")

SCORES = Scores(1, 0.5, 200, {"validation": 1.5})


def test_nothing_that_the_training_says_waits_for_a_server_that_hangs() -> None:
    with fake_visdom(hangs=True) as server:
        sink = make_sink(server.port)
        assert server.arrived.wait(10)
        for number in range(1, 301):
            sink.scalars(scalars(number))
            sink.scores(SCORES)
            sink.images(images())
            sink.samples(samples())
        assert (len(server.asked), server.answered) == (1, 0), "a call has waited for an answer"
        server.behave()
        sink.close()
        assert positions(server) == [number / 4 for number in range(1, 301)]


def test_a_server_that_hangs_in_the_middle_of_an_update_holds_up_nothing() -> None:
    with fake_visdom() as server:
        sink = make_sink(server.port, before=[scalars(1)])
        wait_for(lambda: "1-rate" in server.windows)
        server.held = "events"
        server.go.clear()
        sink.scalars(scalars(2))
        assert server.arrived.wait(10)
        answered = server.answered
        for number in range(3, 50):
            sink.scalars(scalars(number))
            sink.images(gray(number))
            sink.samples(numbered(number))
        assert server.answered == answered
        server.behave()
        sink.close()
        assert len(positions(server)) == 49


def test_of_the_images_only_the_newest_are_shown() -> None:
    with fake_visdom(hangs=True) as server:
        sink = make_sink(server.port, before=[scalars(1)])
        assert server.arrived.wait(10)
        for number in range(1, 10):
            sink.images(gray(number))
        server.behave()
        sink.close()
        newest = sheet(in_rows(gray(9).images, 4), "epoch 9, 900 images seen", width=700)
        assert server.images("1-current") == [source(Samples(9, 900, newest))]
        sent = [asked.message for asked in server.asked if asked.endpoint == "events"]
        types = [message["data"][0]["type"] for message in sent if message["win"] == "1-current"]
        assert types in (["image"], ["text", "image"])


def test_sheets_that_nobody_can_take_are_dropped_at_once_and_the_newest_are_kept() -> None:
    with fake_visdom(hangs=True) as server:
        sink = make_sink(server.port, before=[scalars(1)])
        assert server.arrived.wait(10)
        told = []
        for number in range(10_000):
            image = np.full((40, 100, 3), number % 256, np.uint8)
            told.append(weakref.ref(image))
            sink.samples(Samples(number, number, image))
            del image
        gc.collect()
        assert sum(reference() is not None for reference in told) <= module.MOST_PENDING
        assert (len(server.asked), server.answered) == (1, 0)
        server.behave()
        sink.close()
        newest = [source(numbered(number)) for number in range(10_000 - module.MOST_PENDING, 10_000)]
        assert server.images("1-samples") == newest


def test_what_is_no_number_is_sent_as_a_gap(caplog: pytest.LogCaptureFixture) -> None:
    losses = [1.0, math.nan, math.inf, -math.inf, 5.0]
    with fake_visdom() as server:
        sink = make_sink(server.port, name='马 🐎 <b>"')
        for number, loss in enumerate(losses, 1):
            sink.scalars(scalars(number, 马=loss)._replace(seconds=math.nan, memory=math.nan, learning_rate=math.inf))
        sink.scalars(scalars(6, 马=1.0)._replace(position=math.nan))
        sink.scores(Scores(2, 1.5, 600, {"validation": math.nan, "variety_G": 0.5}))
        sink.close()
        x, y = drawn(server.windows["1-gan"]["data"], "马")
        assert (x, y) == ([0.25, 0.5, 0.75, 1.0, 1.25], [1.0, None, None, None, 5.0])
        assert not any("not strict" in asked.message for asked in server.asked)
        assert server.windows["1-status"]["opts"]["title"] == '马 🐎 <b>"'
        assert "<b>" not in server.windows["1-status"]["data"][0]["content"]
    assert warnings(caplog) == []


def test_between_two_updates_there_is_a_rest_of_many_times_their_work(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(0.01 * number for number in range(1000))
    monkeypatch.setattr(time, "thread_time", lambda: next(clock))  # each update takes 10 ms of the processor
    monkeypatch.setattr(module, "REST_FACTOR", 40)
    with fake_visdom() as server:
        sink = make_sink(server.port, before=[scalars(1)])
        wait_for(lambda: "1-rate" in server.windows)
        first = len(server.asked)
        shown = server.asked[-1].time
        sink.scalars(scalars(2))
        sink.images(images())
        wait_for(lambda: len(server.asked) > first)
        assert server.asked[first].time - shown >= 0.4 - 0.05, "the rest began before the last request was answered"
        sink.close()


def test_however_little_work_an_update_is_there_is_a_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REST_SECONDS", 0.3)
    with fake_visdom() as server:
        sink = make_sink(server.port, before=[scalars(1)])
        wait_for(lambda: "1-rate" in server.windows)
        first, shown = len(server.asked), server.asked[-1].time
        sink.scalars(scalars(2))
        wait_for(lambda: len(server.asked) > first)
        assert server.asked[first].time - shown >= 0.3 - 0.05
        sink.close()


def test_without_news_nothing_is_sent() -> None:
    with fake_visdom() as server:
        sink = make_sink(server.port, before=[scalars(1)])
        wait_for(lambda: "1-rate" in server.windows)
        sent = len(server.asked)
        time.sleep(0.2)  # ten rests
        assert len(server.asked) == sent
        sink.close()


def test_the_end_does_not_wait_for_a_rest(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(module, "REST_SECONDS", 60)
    with fake_visdom() as server:
        sink = make_sink(server.port)
        wait_for(lambda: "1-status" in server.windows)
        sink.scalars(scalars(1))
        sink.close()
        assert positions(server) == [0.25]
        assert server.asked[-1].endpoint == "save"
    url = f"http://localhost:{server.port}/env/run"
    assert caplog.messages == [f"Visdom dashboard: {url}", f"Visdom dashboard saved: {url}"]


def test_a_server_that_hangs_at_the_end_is_given_up_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "CLOSE_SECONDS", 0.1)
    with fake_visdom() as server:
        sink = make_sink(server.port, before=[scalars(1)])
        wait_for(lambda: caplog.messages)
        server.go.clear()
        sink.close()
        (message,) = warnings(caplog)
        assert "it does not answer" in message
        server.behave()
        sink._thread.join(10)
        assert not sink._thread.is_alive()
    assert len(caplog.messages) == 2, "something was said after the end"
