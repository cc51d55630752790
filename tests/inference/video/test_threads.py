"""What reads ahead and what works behind: in order, bounded, and heard when it fails."""

import threading
from collections.abc import Iterable, Iterator
from itertools import repeat

import pytest

from inference.video.threads import Newest, ReadAhead, WriteBehind

LONGEST = 20  # seconds that anything may take


def test_items_come_in_order_and_then_nothing() -> None:
    with ReadAhead(range(50), 4) as ahead:
        taken: list[int] = []
        while some := ahead.take(3):
            assert len(some) <= 3
            taken += some
        assert taken == list(range(50))
        assert ahead.take() == []


def test_no_more_is_read_ahead_than_may_wait() -> None:
    read = 0
    enough = threading.Event()

    def items() -> Iterator[int]:
        nonlocal read
        for number in range(100):
            read += 1
            if read == 4:  # three wait, the fourth is in the hand
                enough.set()
            yield number

    with ReadAhead(items(), 3) as ahead:
        assert enough.wait(LONGEST)
        assert ahead.take() == [0]
        assert read <= 5


def test_an_error_of_the_reader_comes_after_what_was_read() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    with ReadAhead(items(), 4) as ahead:
        assert ahead.take() == [1]
        with pytest.raises(ZeroDivisionError):
            ahead.take()


def test_leaving_early_ends_the_reader() -> None:
    before = threading.active_count()
    with ReadAhead(iter(int, 1), 2) as ahead:  # without end
        ahead.take()
    assert threading.active_count() == before


def test_work_is_done_in_order_and_waited_for() -> None:
    done: list[int] = []
    with WriteBehind(done.append, 2) as behind:
        for number in range(20):
            behind.put(number)
    assert done == list(range(20))


@pytest.mark.parametrize("items", [[0], repeat(0)], ids=["the last", "without end"])
def test_an_error_of_the_worker_is_heard_and_stops_who_adds_to_it(items: Iterable[int]) -> None:
    def work(item: int) -> None:
        raise ZeroDivisionError

    def add() -> None:
        with WriteBehind(work, 2) as behind:
            for item in items:
                behind.put(item)

    with pytest.raises(ZeroDivisionError):
        add()


def test_after_an_error_nothing_more_is_done() -> None:
    done: list[int] = []
    free = threading.Event()

    def work(item: int) -> None:
        assert free.wait(LONGEST)
        done.append(item)

    def fail() -> None:
        with WriteBehind(work, 5) as behind:
            for number in range(5):
                behind.put(number)
            threading.Timer(0.01, free.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert len(done) <= 1


def test_only_the_newest_is_kept() -> None:
    newest: Newest[str] = Newest()
    for word in ("old", "older", "new"):
        newest.put(word)
    assert newest.after(0) == (3, "new")
    newest.put("newer")
    newest.end()
    assert newest.after(3) == (4, "newer")
    assert newest.after(4) is None
    newest.end(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        newest.after(4)
