import math

import pytest

from tests.util.sinks.events import scalars
from util.sinks.traces import is_reconstruction, smooth, thin, traces


@pytest.mark.parametrize("count", [0, 1, 2, 9, 10, 11, 1000, 12345])
def test_thinning_keeps_both_ends_and_the_limit(count: int) -> None:
    picked = thin(range(count), 10)
    assert len(picked) <= 10
    assert len(picked) == count or len(picked) >= 5
    assert picked == sorted(set(picked))
    assert not count or (picked[0], picked[-1]) == (0, count - 1)


def test_points_do_not_move_as_a_history_grows() -> None:
    assert set(thin(range(1200), 100)[:-1]) <= set(thin(range(1100), 100)) | set(range(1100, 1200))


def test_a_loss_that_comes_late_has_gaps_before() -> None:
    first, second = traces([scalars(1, D=1.0), scalars(2, D=math.inf, idt=3.0)])
    assert (first.name, first.x, first.y[0]) == ("D", [0.25, 0.5], 1.0)
    assert math.isnan(first.y[1])
    assert math.isnan(second.y[0])


def test_a_position_that_is_not_finite_is_left_out() -> None:
    assert traces([scalars(1, D=1.0)._replace(position=math.nan)]) == []


def test_the_mean_of_a_constant_is_that_constant_and_gaps_carry_over() -> None:
    assert smooth([2.0, 2.0, math.nan, 2.0], 10) == pytest.approx([2.0] * 4)


def test_loss_names_are_told_apart() -> None:
    assert all(map(is_reconstruction, ["cycle_A", "idt_B", "G_L1"]))
    assert not any(map(is_reconstruction, ["G_A", "D_B", "G_GAN", "D_real"]))
