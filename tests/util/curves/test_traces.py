import math
import re

import pytest

from util.curves.traces import colour, smooth, thin


def average(values: list[float], window: int) -> list[float]:
    """Return for each value the mean of all so far, each older one weighing (1 - 1 / window) of the next."""
    weights = [(1 - 1 / window) ** age for age in range(len(values))]
    return [
        sum(weight * value for weight, value in zip(weights, reversed(values[:end]), strict=False)) / sum(weights[:end])
        for end in range(1, len(values) + 1)
    ]


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 11, 1000, 12345])
def test_thinning_keeps_both_ends_and_the_limit(count: int) -> None:
    picked = thin(range(count), 10)
    assert len(picked) <= 10
    assert len(picked) == count or len(picked) >= 5
    assert picked == sorted(set(picked))
    assert not count or (picked[0], picked[-1]) == (0, count - 1)


def test_points_do_not_move_as_a_history_grows() -> None:
    assert set(thin(range(1200), 100)[:-1]) <= set(thin(range(1100), 100)) | set(range(1100, 1200))


@pytest.mark.parametrize(("count", "window"), [(1, 5), (20, 5), (239, 5), (240, 6), (400, 10)])
def test_the_moving_average_looks_back_over_a_fortieth_but_at_least_five(count: int, window: int) -> None:
    values = [float(number * 31 % 17) for number in range(count)]
    assert smooth(values) == pytest.approx(average(values, window))


def test_the_mean_of_a_constant_is_that_constant_and_carried_over_gaps_but_those_at_the_start() -> None:
    assert smooth([2.0, 2.0, math.nan, 2.0]) == pytest.approx([2.0] * 4)
    assert smooth([math.nan, math.inf, 3.0]) == pytest.approx([math.nan, math.nan, 3.0], nan_ok=True)
    assert smooth([]) == []


def test_neighbouring_losses_have_different_colours_however_many_there_are() -> None:
    colours = [colour(index) for index in range(40)]
    assert all(re.fullmatch("#[0-9a-f]{6}", text) for text in colours)
    assert all(len(set(colours[start : start + 8])) == 8 for start in range(32))
