"""Jobs beside the main thread: one at a time, and none is lost."""

import os
import sys
import threading
from collections.abc import Callable

import pytest

from models.background import NICENESS, Background

LONG = 30.0  # seconds after which a test that hangs gives up


class Job:
    """Says that it runs, and ends when it is told to."""

    def __init__(self) -> None:
        self.begun, self.may_end, self.done = threading.Event(), threading.Event(), False

    def __call__(self) -> None:
        self.begun.set()
        assert self.may_end.wait(LONG)
        self.done = True


def failing(error: BaseException) -> Callable[[], None]:
    def job() -> None:
        raise error

    return job


def test_a_second_job_starts_when_the_first_is_done() -> None:
    background, first, second = Background(), Job(), Job()
    second.may_end.set()
    background.start(first)
    starter = threading.Thread(target=background.start, args=(second,))
    starter.start()
    assert first.begun.wait(LONG)
    starter.join(0.2)  # gives a wrong second start the time to show
    assert not second.begun.is_set()
    first.may_end.set()
    starter.join(LONG)
    assert first.done, "the second start returned before the first job was over"
    background.wait()
    assert second.done


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyError("x"), KeyboardInterrupt()])
def test_the_error_of_a_job_reaches_wait_once(error: BaseException) -> None:
    background = Background()
    background.start(failing(error))
    with pytest.raises(type(error)) as raised:
        background.wait()
    assert raised.value is error
    background.wait()


def test_the_error_of_a_job_reaches_the_next_start_which_does_not_run() -> None:
    background, ran = Background(), []
    background.start(failing(OSError("full")))
    with pytest.raises(OSError, match="full"):
        background.start(lambda: ran.append(1))
    background.wait()
    assert ran == []
    background.start(lambda: ran.append(2))
    background.wait()
    assert ran == [2], "work goes on after an error"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
def test_the_job_alone_makes_way_for_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    background, asked, threads = Background(), [], []
    monkeypatch.setattr(os, "setpriority", lambda *words: asked.append(words))
    background.start(lambda: threads.append(threading.get_native_id()))
    background.wait()
    assert threads != [threading.get_native_id()]
    assert asked == [(os.PRIO_PROCESS, threads[0], NICENESS)]
    assert NICENESS > 0


def test_a_system_that_refuses_the_niceness_loses_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without rights who starts a training with ``nice -n 15`` may not lower that to 10."""

    def refused(*args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "setpriority", refused, raising=False)
    background, ran = Background(), []
    background.start(lambda: ran.append(1))
    background.wait()
    assert ran == [1]
