"""Work in several processes: the same results in order, and errors that come through."""

import os

import pytest

from datasets.parallel import for_each
from options.errors import UserError


def square(number: int) -> int:
    return number * number


def die(number: int) -> int:
    os._exit(9)


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_order(processes: int) -> None:
    items = list(range(50))
    assert for_each(square, items, processes=processes, what="squaring", unit="number") == [n * n for n in items]


def test_a_process_that_dies_is_told_instead_of_waited_for() -> None:
    with pytest.raises(UserError, match="a process died while working"):
        for_each(die, range(20), processes=2, what="working", unit="number")
