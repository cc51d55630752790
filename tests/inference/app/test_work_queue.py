"""One piece of work at a time."""

import threading

import pytest

from inference.app.work_queue import BusyError, WorkQueue


class Held:
    """Work that waits to be let go."""

    def __init__(self) -> None:
        self.began, self.go = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.began.set()
        assert self.go.wait(10)
        return "held"


def test_work_is_done_in_order_and_never_together() -> None:
    queue, done, inside = WorkQueue(20), [], []

    def work(number: int) -> int:
        inside.append(number)
        assert len(inside) == 1
        done.append(number)
        inside.remove(number)
        return number

    futures = [queue.submit(lambda number=number: work(number)) for number in range(10)]  # type: ignore[misc]
    assert [future.result(10) for future in futures] == list(range(10)) == done


def test_a_full_queue_is_refused_but_not_to_the_patient() -> None:
    queue, held = WorkQueue(2), Held()
    first = queue.submit(held)
    assert held.began.wait(10)
    waiting = [queue.submit(lambda: "waited") for _ in range(2)]
    with pytest.raises(BusyError, match="2 others are waiting already; try again in a minute"):
        queue.submit(lambda: "refused")
    patient = queue.submit(lambda: "patient", patient=True)
    assert queue.is_busy
    held.go.set()
    assert [future.result(10) for future in (first, *waiting, patient)] == ["held", "waited", "waited", "patient"]
    assert queue.submit(lambda: "again").result(10) == "again"


def test_who_has_gone_has_no_turn() -> None:
    queue, held, done = WorkQueue(5), Held(), []
    queue.submit(held)
    assert held.began.wait(10)
    gone = queue.submit(lambda: done.append("gone"))
    assert gone.cancel()
    held.go.set()
    queue.submit(lambda: done.append("next")).result(10)
    assert done == ["next"]


def test_an_error_goes_to_who_waits_and_the_next_has_its_turn() -> None:
    queue = WorkQueue(5)
    with pytest.raises(ZeroDivisionError):
        queue.submit(lambda: 1 // 0).result(10)
    assert queue.submit(lambda: 3).result(10) == 3
