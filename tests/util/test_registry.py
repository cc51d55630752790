"""The table of names: order, unknown names with a hint, no duplicates."""

import pytest

from util.registry import Registry, did_you_mean


@pytest.fixture
def fruit() -> Registry[int]:
    table: Registry[int] = Registry("fruit")
    table.register("apple")(1)
    table.register("banana")(2)
    return table


def test_names_come_in_the_order_of_registration(fruit: Registry[int]) -> None:
    assert list(fruit) == ["apple", "banana"]
    assert fruit["banana"] == 2
    assert fruit.register("cherry")(3) == 3, "a decorator returns what it decorates"
    assert "apple" in fruit
    assert "pear" not in fruit


def test_an_unknown_name_is_answered_with_the_nearest_and_all_known_ones(fruit: Registry[int]) -> None:
    with pytest.raises(ValueError, match=r"^unknown fruit 'bananna'; did you mean 'banana'\?; known: apple, banana$"):
        fruit["bananna"]


def test_a_name_like_no_other_gets_no_hint(fruit: Registry[int]) -> None:
    with pytest.raises(ValueError, match=r"^unknown fruit 'xyz'; known: apple, banana$"):
        fruit["xyz"]
    assert did_you_mean("xyz", ["apple"]) == ""


def test_a_name_cannot_be_given_twice(fruit: Registry[int]) -> None:
    with pytest.raises(AssertionError, match="fruit 'apple' is registered twice"):
        fruit.register("apple")(3)
    assert fruit["apple"] == 1
