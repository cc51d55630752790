"""What the numbers of a training say about its health: when each sentence comes, and when it does not."""

import gc
import math
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from util.curves.health import WINDOW, Health, Signal
from util.sinks.events import Event, Scalars, Scores

EPOCH = 1000  # images
NAN = math.nan
WON, FAIR = {"D_real": 1.0, "D_fake": 1.0}, {"D_real": 0.7, "D_fake": 0.6}


def report(
    images: int,
    *,
    losses: Mapping[str, float] | None = None,
    accuracies: Mapping[str, float] | None = None,
    seconds: float = 1.0,
    data_seconds: float = 0.0,
) -> Scalars:
    epoch, iters = (images - 1) // EPOCH + 1, (images - 1) % EPOCH + 1
    shown = {"G": 1.0, "D": 0.5} if losses is None else losses
    return Scalars(epoch, images / EPOCH, iters, images, shown, 2e-4, seconds, data_seconds, accuracies or {})


def reports(count: int, *, start: int = 0, every: int = 100, **values: Any) -> list[Scalars]:
    return [report(start + every * number, **values) for number in range(1, count + 1)]


def varieties(*values: float, name: str = "G") -> list[Scores]:
    return [
        Scores(1, 0.1 * number, WINDOW + 100 * number, {f"variety_{name}": value})
        for number, value in enumerate(values)
    ]


def validations(scores: Mapping[int, float]) -> list[Scores]:
    """Return validation scores by the epoch after which they were measured."""
    return [
        Scores(epoch, float(epoch), epoch * EPOCH, {"l1": value}, deciding="l1", worth=value)
        for epoch, value in scores.items()
    ]


def fed(*groups: Iterable[Event], num_threads: int = 4) -> Health:
    health = Health(num_threads=num_threads)
    for group in groups:
        for event in group:
            health.add(event)
    return health


def signals(*groups: Iterable[Event], num_threads: int = 4) -> list[Signal]:
    return fed(*groups, num_threads=num_threads).signals()


def sentence(*groups: Iterable[Event], num_threads: int = 4) -> str:
    (signal,) = signals(*groups, num_threads=num_threads)
    return signal.sentence


@pytest.mark.parametrize("accuracy", [0.5, 0.65, 0.8, 0.95])
def test_a_discriminator_that_is_sometimes_wrong_is_healthy(accuracy: float) -> None:
    both = {f"D_{side}_{kind}": accuracy for side in "AB" for kind in ("real", "fake")}
    assert signals(reports(100, accuracies=both), varieties(*[0.6] * 5), validations({1: 1.0, 2: 0.9})) == []


def test_nothing_is_said_before_the_first_report() -> None:
    assert signals() == []
    assert signals(varieties(0.0, 0.0, 0.0)) == []


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_a_loss_that_is_no_number_is_named_while_it_lasts(bad: float) -> None:
    broken = report(100, losses={"G": bad, "D": 0.5})
    text = sentence([broken])
    assert "G;" in text
    assert "D" not in text
    assert "--lr" in text
    assert signals([broken, report(200)]) == []


@pytest.mark.parametrize(("accuracy", "won"), [(1.0, True), (0.981, True), (0.98, False), (0.97, False)])
def test_a_discriminator_has_won_when_it_is_nearly_always_right(accuracy: float, won: bool) -> None:
    events = reports(30, accuracies={"D_real": accuracy, "D_fake": accuracy})
    assert [signal.kind for signal in signals(events)] == ["D has won"] * won


def test_a_win_is_told_after_two_thousand_images_and_no_earlier() -> None:
    assert signals(reports(20, accuracies=WON)) == []  # 1,900 images from the first report to the last
    text = sentence(reports(21, accuracies=WON))
    assert "D has won" in text
    assert "98%" in text
    assert "for 2,000 images" in text
    assert "--ndf 32" in text


def test_a_win_is_over_when_the_newest_images_say_so() -> None:
    won = reports(50, accuracies=WON)
    assert signals(won, reports(2, start=5000, accuracies=FAIR)) == []
    assert signals(reports(50, accuracies=FAIR), reports(21, start=5000, accuracies=WON)) != []


def test_only_the_discriminator_that_won_is_named() -> None:
    mixed = {"D_A_real": 0.7, "D_A_fake": 0.6, "D_B_real": 1.0, "D_B_fake": 1.0}
    text = sentence(reports(30, accuracies=mixed))
    assert "D_B" in text
    assert "D_A" not in text


@pytest.mark.parametrize(
    ("real", "fake", "verdict"),
    [
        (0.99, 0.01, "everything real"),
        (0.01, 0.99, "everything fake"),
        (0.99, 0.02, None),
        (0.98, 0.01, None),
        (0.01, 0.01, None),
    ],
)
def test_a_discriminator_that_says_the_same_to_all_is_one_sided(real: float, fake: float, verdict: str | None) -> None:
    events = reports(30, accuracies={"D_real": real, "D_fake": fake})
    found = signals(events)
    assert [signal.kind for signal in found] == ["D is one-sided"] * bool(verdict)
    assert all(f"D calls {verdict}" in signal.sentence for signal in found)
    assert signals(events[:20]) == []


@pytest.mark.parametrize("accuracies", [{}, {"D_real": 1.0}, {"D_fake": 1.0}, {"D": 1.0}, {"D_A_real": NAN}])
def test_without_both_shares_of_a_discriminator_nothing_is_said_about_it(accuracies: dict[str, float]) -> None:
    assert signals(reports(30, accuracies=accuracies)) == []


@pytest.mark.parametrize("values", [(0.09, 0.05, 0.0), (0.9, 0.05, 0.05, 0.05)])
def test_a_generator_is_constant_after_three_samples_without_variety(values: tuple[float, ...]) -> None:
    assert [signal.kind for signal in signals([report(100)], varieties(*values))] == ["G is constant"]


@pytest.mark.parametrize("values", [(0.05, 0.05), (0.05, 0.05, 0.1), (0.0, 0.0, 0.0, 0.5), (0, 0, NAN), (NAN, 0, 0)])
def test_a_generator_of_which_not_all_three_lack_variety_is_not_constant(values: tuple[float, ...]) -> None:
    assert signals([report(100)], varieties(*values)) == []


def test_only_the_generator_that_is_constant_is_named() -> None:
    lively, flat = (varieties(value, value, value, name=name) for name, value in (("G_A", 0.7), ("G_B", 0.05)))
    text = sentence([report(100)], lively, flat)
    assert text.startswith("G_B's output")
    assert "5%" in text
    assert "G_A" not in text


@pytest.mark.parametrize(
    ("best", "now", "told"), [(3, 12, False), (3, 13, True), (81, 100, False), (80, 100, True), (0, 40, True)]
)
def test_a_validation_that_does_not_improve_is_told_after_ten_epochs_or_a_fifth(
    best: int, now: int, told: bool
) -> None:
    scores = {epoch: 0.25 if epoch == best else 0.5 for epoch in range(best, now + 1)}
    found = signals([report(100)], validations(scores))
    assert [signal.kind for signal in found] == ["validation"] * told
    for signal in found:
        assert f"for {now - best} epochs (the best was that after epoch {best})" in signal.sentence


def test_a_validation_that_improves_or_is_no_number_is_not_told() -> None:
    assert signals([report(100)], validations({epoch: 1 / epoch for epoch in range(1, 60)})) == []
    stalled = dict.fromkeys(range(1, 60), 1.0)
    assert signals([report(100)], validations(stalled)) != []
    assert signals([report(100)], validations(stalled | {60: 0.9})) == []
    assert signals([report(100)], validations(dict.fromkeys(range(1, 60), NAN))) == []


@pytest.mark.parametrize(("share", "words"), [(0.29, None), (0.31, "31%"), (0.61, "61%"), (1.0, "100%")])
def test_waiting_for_data_is_told_from_thirty_percent_on(share: float, words: str | None) -> None:
    found = signals(reports(10, data_seconds=share))
    assert [signal.kind for signal in found] == ["waiting"] * bool(words)
    assert all(f"takes {words} of the time" in signal.sentence for signal in found)
    assert signals(reports(9, data_seconds=share)) == []


def test_waiting_is_a_share_of_the_time_and_only_of_the_newest() -> None:
    long, short = reports(5, seconds=9.0, data_seconds=0.0), reports(5, start=500, seconds=1.0, data_seconds=1.0)
    assert signals(long, short) == []  # 5 of 50 seconds, though half of the reports
    assert signals(reports(30, data_seconds=0.9), reports(21, start=3000)) == []


@pytest.mark.parametrize(("cores", "more"), [(8, True), (5, True), (4, False), (2, False), (None, False)])
def test_more_loading_processes_are_advised_while_there_are_cores(
    cores: int | None, more: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    text = sentence(reports(10, data_seconds=0.6), num_threads=4)
    assert ("raise --num_threads (now 4)" in text, "--load_size" in text) == (more, not more)


@pytest.mark.parametrize(("seconds", "words"), [(2.0, None), (2.1, "2.1 times"), (7.0, "7.0 times")])
def test_slowness_is_told_once_enough_is_known(seconds: float, words: str | None) -> None:
    usual, slow = reports(40), reports(10, start=4000, seconds=seconds)
    found = signals(usual, slow)
    assert [signal.kind for signal in found] == ["slow"] * bool(words)
    assert all(f"takes {words} as long" in signal.sentence for signal in found)
    assert signals(usual, slow[:9]) == []
    assert signals(usual, slow, reports(10, start=5000)) == []


@pytest.mark.parametrize("seconds", [0.0, NAN])
def test_times_that_cannot_be_are_no_signal(seconds: float) -> None:
    assert signals(reports(100, seconds=seconds, data_seconds=seconds)) == []
    assert signals(reports(100), reports(3, start=10_000, seconds=seconds), reports(30, start=10_300)) == []


def test_the_gravest_comes_first() -> None:
    grave = report(3100, losses={"G": NAN}, accuracies=WON, data_seconds=0.9)
    found = signals(reports(30, accuracies=WON, data_seconds=0.9), [grave])
    assert [signal.kind for signal in found] == ["not finite", "D has won", "waiting"]


def test_of_two_hundred_thousand_reports_only_those_of_the_window_are_kept() -> None:
    before, health = kept(), Health(num_threads=4)
    for images in range(1, 200_001):
        health.add(report(images, accuracies=WON))
    assert kept() - before <= 2001
    assert [signal.kind for signal in health.signals()] == ["D has won"]


def kept() -> int:
    gc.collect()
    return sum(type(thing) is Scalars for thing in gc.get_objects())


def test_a_generator_is_not_judged_before_it_has_learned_for_a_while() -> None:
    early = [Scores(1, 0.1, images, {"variety_G": 0.05}) for images in (4, 8, 12, WINDOW - 1)]
    assert signals([report(100)], early) == []


def test_how_fast_an_earlier_process_was_is_not_held_against_this_one() -> None:
    health = Health(num_threads=4)
    for event in reports(60, seconds=1.0, data_seconds=0.9):
        health.add(event)
    assert [signal.kind for signal in health.signals()] == ["waiting"]
    health.begin()
    for event in reports(60, start=6000, seconds=5.0):
        health.add(event)
    assert health.signals() == []
