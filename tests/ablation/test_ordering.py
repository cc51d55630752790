"""Orders by hand-made numbers."""

import math
from typing import Any

import pytest

from ablation.ordering import Mean, Pair, compare, mean, published_order
from ablation.tables import read_table


def sure(value: float) -> Mean:
    return Mean(value, 0.0, 1)


class TestMean:
    def test_it_is_that_of_the_sample(self) -> None:
        value, spread, seeds = mean([1.0, 2.0, 6.0])
        assert (value, seeds) == (3, 3)
        assert spread == pytest.approx(math.sqrt((4 + 1 + 9) / 2))

    def test_a_single_seed_has_no_spread(self) -> None:
        assert mean([4.0]) == Mean(4, 0, 1)


class TestPublishedOrder:
    def test_columns_that_agree_make_a_pair(self) -> None:
        assert published_order({"a": (1, 2), "b": (3, 4)}, "higher") == [("b", "a")]
        assert published_order({"a": (1, 2), "b": (3, 4)}, "lower") == [("a", "b")]

    def test_columns_that_contradict_each_other_make_none(self) -> None:
        assert published_order({"a": (1, 4), "b": (3, 2)}, "higher") == []

    def test_a_tie_in_one_column_leaves_it_to_the_others(self) -> None:
        assert published_order({"a": (1, 2), "b": (1, 4)}, "higher") == [("b", "a")]
        assert published_order({"a": (1, 2), "b": (1, 2)}, "higher") == []

    def test_of_the_losses_all_pairs_but_one_are_ordered(self) -> None:
        (losses,) = read_table("pix2pix_losses").published
        order = published_order(losses.rows, losses.better)
        assert len(order) == 9  # L1+GAN has more pixels right than cGAN, and fewer classes
        assert ("cGAN", "L1+GAN") not in order
        assert ("L1+GAN", "cGAN") not in order
        assert {first for first, _ in order[-4:]} == {"L1+cGAN"}


class TestCompare:
    @pytest.mark.parametrize(
        ("first", "second", "better", "verdict"),
        [
            (sure(1), sure(2), "lower", "as published"),
            (sure(1), sure(2), "higher", "the other way round"),
            (sure(2), sure(2), "lower", "within the spread"),
            (Mean(1, 0.9, 3), Mean(2, 0.1, 3), "lower", "as published"),
            (Mean(1, 0.1, 3), Mean(2, 1.1, 3), "lower", "within the spread"),
            (Mean(2, 0.5, 3), Mean(1, 0.5, 3), "lower", "the other way round"),
        ],
    )
    def test_a_difference_counts_if_it_is_larger_than_either_spread(
        self, first: Mean, second: Mean, better: Any, verdict: Any
    ) -> None:
        assert compare([("a", "b")], {"a": first, "b": second}, better) == [Pair("a", "b", verdict)]

    def test_pairs_that_were_not_measured_are_left_out(self) -> None:
        assert compare([("a", "b"), ("a", "c")], {"a": sure(1), "c": sure(2)}, "lower") == [
            Pair("a", "c", "as published")
        ]
