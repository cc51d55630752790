"""What the dashboard's sink must not do to the program around it."""

import logging
import sys
import threading

import pytest

from tests.util.dashboard.fake_visdom import fake_visdom
from tests.util.dashboard.servers import wait_for
from tests.util.dashboard.sinks_under_test import make_sink, warnings
from tests.util.sinks.events import images, samples, scalars
from util.log import LAST_WARNING

pytest.importorskip("visdom")
pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize(
    "place", ["util.dashboard.windows.charts", "util.dashboard.windows.sheet", "util.curves.health.Health.signals"]
)
def test_a_mistake_in_the_drawing_ends_neither_the_training_nor_the_dashboard(
    place: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a mistake")

    with fake_visdom() as server:
        sink = make_sink(server.port)
        wait_for(lambda: caplog.messages)
        with monkeypatch.context() as patch:
            patch.setattr(place, fail)
            sink.scalars(scalars(1))
            sink.images(images())
            wait_for(lambda: warnings(caplog) or not sink._thread.is_alive())
        wait_for(lambda: "is back" in caplog.text or not sink._thread.is_alive())
        sink.close()
        assert "a mistake" in warnings(caplog)[0]
        assert server.windows["1-current"]["data"][0]["type"] == "image"


def test_the_newest_warning_of_the_program_is_shown() -> None:
    logging.getLogger().addHandler(LAST_WARNING)  # as the log of a program has it from the beginning
    with fake_visdom() as server:
        sink = make_sink(server.port)
        for number in (1, 2):
            logging.getLogger("other").warning("image %d is <odd>", number)
        sink.close()
        shown = server.windows["1-status"]["data"][0]["content"]
        assert "image 2 is &lt;odd&gt;" in shown
        assert "image 1" not in shown
    logging.getLogger().removeHandler(LAST_WARNING)


def test_a_warning_that_cannot_be_put_into_words_does_not_end_the_training(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)  # as other handlers then: nothing is said
    caplog.handler.setLevel(logging.CRITICAL)  # that of pytest raises on purpose
    with fake_visdom() as server:
        sink = make_sink(server.port)
        logging.getLogger("other").warning("%d", "no number")
        sink.close()


def test_without_visdom_the_sink_says_how_to_install_it_and_does_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "visdom", None)
    monkeypatch.delitem(sys.modules, "util.dashboard.client", raising=False)
    sink = make_sink(1)
    sink.scalars(scalars(1))
    sink.images(images())
    sink.samples(samples())
    sink.close()
    assert len(caplog.messages) == 1
    assert "no dashboard, as visdom cannot be used" in caplog.text
    assert "pip install -r requirements.txt" in caplog.text


def test_the_thread_does_not_keep_the_process_alive(free_port: int) -> None:
    sink = make_sink(free_port)
    assert [thread.daemon for thread in threading.enumerate() if thread.name == "visdom"] == [True]
    sink.close()
