"""What rounds come to: medians and ratios, growth, warm-up, tables."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks import clock, step
from benchmarks.report import number, spread
from benchmarks.rows import COLUMNS, Cell, Row
from benchmarks.sides import Side, our_side


def rounds(*seconds: float, memory: float = 2**20) -> list[dict[str, Any]]:
    return [{"seconds": [s, s, 9 * s], "memory": memory, "start": 3.0, "precision": "bf16"} for s in seconds]


def test_ratios_are_taken_round_by_round() -> None:
    ours, official = rounds(1.0, 4.0, 2.0), rounds(2.0, 4.0, 8.0, memory=2**22)
    ceilings = [{"bf16": 100.0}, {"bf16": 50.0}, {"bf16": 10.0}]
    row = Row(Cell("cycle_gan", 64, 2), Side("ours"), ours, official, ceilings, operations=20)
    assert row.seconds == 2.0
    assert row.time_ratios == [0.5, 1.0, 0.25]
    assert row.memory_ratios == [0.25] * 3
    assert row.share == [0.2, 0.1, 1.0]
    assert COLUMNS["time beside official"](row) == "0.500 (0.250 - 1.000)"
    assert COLUMNS["of the ceiling"](row) == "20% of bf16"
    assert COLUMNS["images/s"](row) == "1.00"
    assert COLUMNS["ms/image"](row) == "1,000"


def test_growth_is_told_per_image_and_pixel() -> None:
    first = Row(Cell("cycle_gan", 64, 1), Side("ours"), rounds(1.0))
    later = Row(Cell("cycle_gan", 128, 2), Side("ours"), rounds(6.0), ceilings=[{}], operations=8, first=first)
    assert first.per_pixel == 1
    assert later.per_pixel == pytest.approx(6 / 8)
    assert COLUMNS["of the ceiling"](later) == "-"  # of a precision that was not measured


@pytest.mark.parametrize(("failure", "shown"), [("out of memory", "out of memory"), ("a long story " * 3, "failed")])
def test_a_failure_takes_the_place_of_the_figures(failure: str, shown: str) -> None:
    row = Row(Cell("cycle_gan", 64, 1), Side("ours"), [], rounds(1.0), [{}], operations=1, failure=failure)
    words = [column(row) for column in COLUMNS.values()]
    assert words.count(shown) == 2  # of a step, of an image: a benchmark shows one of them
    assert not row.is_explained_below or shown == "failed"


@pytest.mark.parametrize(
    ("seconds", "calls"),
    [([1.0, 1.1], 2), ([60.0, 9.0, 1.0, 1.1], 4), ([2.0**-n for n in range(20)], clock.MOST_WARM)],
)
def test_the_warm_up_ends_when_two_calls_agree(
    seconds: list[float], calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = iter(seconds)
    monkeypatch.setattr(clock, "timed", lambda call: next(values))
    assert clock.warm_up(lambda: None) == seconds[:calls]


def test_the_time_to_start_is_what_warm_calls_would_not_have_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([60.0, 3.0, 2.9, 3.0, 2.0, 4.0])
    monkeypatch.setattr(clock, "timed", lambda call, repeats=1: next(values))
    result = clock.measure(lambda: None, 3)
    assert result["seconds"] == [3.0, 2.0, 4.0]
    assert result["start"] == pytest.approx(60 + 3 + 2.9 - 3 * 3)
    assert result["memory_start"] > 0


def test_short_calls_are_timed_in_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    repeats: list[int] = []

    def timed(call: Callable[[], object], times: int = 1) -> float:
        repeats.append(times)
        return 0.06

    monkeypatch.setattr(clock, "timed", timed)
    clock.measure(lambda: None, 2)
    assert repeats == [1, 1, 4, 4]


@pytest.mark.parametrize(
    ("text", "label", "flags"),
    [
        ("", "ours", ()),
        (
            "--precision bf16 --compile nets",
            "ours precision bf16 compile nets",
            ("--precision", "bf16", "--compile", "nets"),
        ),
        ("fast: --compile nets", "fast", ("--compile", "nets")),
        ("--device cuda:1", "ours device cuda:1", ("--device", "cuda:1")),
    ],
)
def test_a_side_is_named_by_its_flags_or_before_a_colon(text: str, label: str, flags: tuple[str, ...]) -> None:
    assert our_side(text) == Side(label, flags)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ours", "", "--ours", ""], "two sides are called ours"),
        (["--official", "nowhere"], "--official nowhere is no folder of the official code"),
    ],
)
def test_sides_that_cannot_be_told_apart_or_are_not_there(words: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        step.main(words)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (0.04712, "0.0471"), (5.516, "5.52"), (12.34, "12.3"), (4145.3, "4,145")],
)
def test_numbers_have_three_digits_that_count(value: float | None, text: str) -> None:
    assert number(value) == text


def test_without_rounds_there_is_no_spread() -> None:
    assert spread([]) == "-"
