"""Curves in bounded memory, against buckets of reports put together anew."""

import math
from statistics import fmean

import pytest

from tests.util.sinks.events import scalars
from util.curves.history import LIMIT, Curve, History
from util.sinks.events import Scores

LENGTHS = (1, 2, 999, 1000, 1001, 1002, 1999, 2000, 2001, 4003, 9000, 12_345, 200_000)
GIBIBYTE = 1024**3
NAN = math.nan


def value(number: int) -> float:
    """Return a value without regularity, different for each number."""
    return (number * 7919 % 10_007) / 100


def curve(values: list[float]) -> Curve:
    """Report values at x = 0.5, 1, 1.5 ..."""
    result = Curve()
    for number, y in enumerate(values, 1):
        result.add(number / 2, y)
    return result


def buckets(values: list[float]) -> list[list[float]]:
    """Cut values into chunks of the smallest power of two that leaves at most ``LIMIT``."""
    size = 1
    while math.ceil(len(values) / size) > LIMIT:
        size *= 2
    return [values[start : start + size] for start in range(0, len(values), size)]


def scores(position: float, **values: float) -> Scores:
    return Scores(1, position, round(1000 * position), values)


@pytest.mark.parametrize("least", [0.0, 40.0])
@pytest.mark.parametrize("length", LENGTHS)
def test_a_point_is_the_end_of_a_bucket_and_the_mean_of_its_finite_values(length: int, least: float) -> None:
    values = [NAN if value(number) < least else value(number) for number in range(length)]
    drawn, expected = curve(values), buckets(values)
    positions = buckets([number / 2 for number in range(1, length + 1)])
    assert drawn.x == [chunk[-1] for chunk in positions]
    assert drawn.y == pytest.approx([chunk[-1] for chunk in expected], rel=0, abs=0, nan_ok=True)
    finite = [[y for y in chunk if y == y] for chunk in expected]
    assert drawn.mean == pytest.approx([fmean(chunk) if chunk else NAN for chunk in finite], nan_ok=True)


def test_there_are_never_more_points_than_the_limit_and_the_newest_is_always_there() -> None:
    growing, most = Curve(), 0
    for number in range(1, 200_001):
        growing.add(number, 1.0)
        most = max(most, len(growing.x))
        assert growing.x[-1] == number
        assert len(growing.x) == len(growing.y) == len(growing.mean) >= min(number, LIMIT // 2)
    assert most == LIMIT
    assert growing.x[0] <= 200_000 / (LIMIT // 2), "the beginning of the run stays in sight"


def test_points_never_move_as_a_curve_grows() -> None:
    growing, earlier = Curve(), Curve()
    for number in range(1, 9001):
        growing.add(number, value(number))
        if number % 501 == 0:
            points = dict(zip(earlier.x, earlier.y, strict=True))
            old = {x: y for x, y in zip(growing.x, growing.y, strict=True) if points and x <= earlier.x[-1]}
            assert old.items() <= points.items()
            earlier = growing.copy()


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_a_value_that_is_no_number_is_a_gap_and_not_part_of_a_mean(bad: float) -> None:
    drawn = curve([1.0, bad, 3.0])
    assert drawn.y == pytest.approx([1.0, NAN, 3.0], nan_ok=True)
    assert drawn.mean == pytest.approx([1.0, NAN, 3.0], nan_ok=True)
    joined = curve([1.0, bad, bad, 2.0, bad, bad] + [5.0] * LIMIT)
    assert joined.mean[:3] == pytest.approx([1.0, 2.0, NAN], nan_ok=True)
    pairs = curve([1.0] * LIMIT + [bad, 4.0, 6.0, bad, bad, bad])
    assert pairs.mean[-3:] == pytest.approx([4.0, 6.0, NAN], nan_ok=True)


@pytest.mark.parametrize("x", [NAN, math.inf])
def test_a_report_without_a_position_is_left_out(x: float) -> None:
    drawn = Curve()
    drawn.add(x, 1.0)
    drawn.add(2.0, 3.0)
    assert (drawn.x, drawn.y, drawn.mean) == ([2.0], [3.0], [3.0])


@pytest.mark.parametrize("length", [3, LIMIT, LIMIT + 1])
def test_a_copied_curve_and_its_original_go_separate_ways(length: int) -> None:
    values = [value(number) for number in range(length)]
    original = curve(values)
    other = original.copy()
    original.add(1e6, 9.0)
    other.add(1e6, -9.0)
    for drawn, last in ((original, 9.0), (other, -9.0)):
        expected = curve([*values, last])
        assert (drawn.y, drawn.mean, drawn.x[:-1]) == (expected.y, expected.mean, expected.x[:-1])


def test_every_kind_of_number_has_its_curves() -> None:
    first = scalars(1, G=1.0, D=2.0)._replace(
        accuracies={"D_real": 0.75}, seconds=0.5, data_seconds=0.2, memory=3 * GIBIBYTE, learning_rate=0.01
    )
    history = History([first, scores(0.3, validation=0.1, variety_G=0.9), scalars(2, G=3.0, D=4.0)])
    assert {name: drawn.y for name, drawn in history.losses.items()} == {"G": [1.0, 3.0], "D": [2.0, 4.0]}
    assert history.losses["G"].x == [0.25, 0.5]
    assert history.accuracies["D_real"].y[0] == 0.75
    assert (history.scores["validation"].x, history.scores["variety_G"].y) == ([0.3], [0.9])
    assert history.learning_rate.y == [0.01, 2e-4]
    assert history.images_per_second.y == pytest.approx([2.0, 1 / 0.311])
    assert history.waiting.y == pytest.approx([0.4, 0.0])
    assert history.memory.y == pytest.approx([3.0, NAN], nan_ok=True)  # the second report does not know it
    assert (history.reports, history.last) == (2, scalars(2, G=3.0, D=4.0))


@pytest.mark.parametrize("seconds", [0.0, -1.0, NAN])
def test_a_time_that_cannot_be_is_a_gap_in_the_speed(seconds: float) -> None:
    history = History([scalars(1)._replace(seconds=seconds, data_seconds=0.1)])
    assert math.isnan(history.images_per_second.y[0])
    assert math.isnan(history.waiting.y[0])


def test_a_loss_that_comes_late_begins_late_and_one_that_disappears_has_gaps() -> None:
    history = History([scalars(1, D=1.0), scalars(2, D=2.0, idt=3.0), scalars(3, idt=4.0)])
    late, gone = history.losses["idt"], history.losses["D"]
    assert list(history.losses) == ["D", "idt"]
    assert (late.x, late.y) == ([0.5, 0.75], [3.0, 4.0])
    assert gone.x == [0.25, 0.5, 0.75]
    assert gone.y == pytest.approx([1.0, 2.0, NAN], nan_ok=True)


def test_scores_that_are_measured_at_different_times_do_not_tear_each_other() -> None:
    history = History()
    for number in range(1, 3 * LIMIT):
        history.add(scores(number, variety_G=0.5))
        if number % 10 == 0:
            history.add(scores(number, validation=0.25))
    for name, measured in (("variety_G", 0.5), ("validation", 0.25)):
        assert set(history.scores[name].y) == {measured}, name


def test_a_copied_history_and_its_original_go_separate_ways() -> None:
    original = History([scalars(1, G=1.0), scores(0.3, validation=0.1)])
    other = original.copy()
    original.add(scalars(2, G=2.0, new=1.0))
    original.add(scores(0.6, validation=0.2, variety_G=0.5))
    assert (other.losses["G"].y, list(other.losses), other.reports) == ([1.0], ["G"], 1)
    assert (other.scores["validation"].y, list(other.scores)) == ([0.1], ["validation"])
    assert other.last == scalars(1, G=1.0)
    for drawn in (other.learning_rate, other.images_per_second, other.waiting, other.memory):
        assert drawn.x == [0.25]
    other.add(scalars(5, G=5.0))
    assert original.losses["G"].y == [1.0, 2.0]
