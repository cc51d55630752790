"""Counters, triggers and the stopwatch."""

import pytest

from util.progress import Progress, Stopwatch


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 7, 16, 100])
@pytest.mark.parametrize("every", [1, 3, 7, 10, 100])
def test_a_trigger_fires_once_for_every_step_that_passes_a_multiple(batch: int, every: int) -> None:
    progress, fired = Progress(), 0
    for _ in range(200):
        before = progress.images_seen
        progress.advance(batch)
        due = any(n % every == 0 for n in range(before + 1, progress.images_seen + 1))
        assert progress.crossed(every, batch) is due
        fired += due
    if batch <= every:
        assert fired == progress.images_seen // every


def test_a_shorter_last_batch_does_not_shift_the_triggers() -> None:
    progress, fired = Progress(), []
    for size in (4, 4, 2) * 6:
        progress.advance(size)
        if progress.crossed(20, size):
            fired.append(progress.images_seen)
    assert fired == [20, 40, 60]
    assert not progress.crossed(0, 2)


def test_counters_move_through_epochs() -> None:
    progress = Progress(epoch_size=4)
    progress.advance(3)
    assert (progress.epoch, progress.images_seen, progress.seen_in_epoch) == (1, 3, 3)
    assert progress.fractional_epoch == 0.75
    assert not progress.at_end(1)
    progress.advance(1)
    assert progress.at_end(1)
    assert not progress.at_end(2)
    progress.next_epoch()
    assert (progress.epoch, progress.images_seen, progress.seen_in_epoch) == (2, 4, 0)
    assert progress.fractional_epoch == 1.0
    assert Progress().fractional_epoch == 0, "also of an empty epoch"


def test_the_state_goes_into_another_progress_without_the_size_of_the_data() -> None:
    progress, again = Progress(epoch_size=4, metrics=[0.5]), Progress(epoch_size=9)
    progress.advance(3)
    progress.next_epoch()
    again.load_state_dict(progress.state_dict())
    assert again == Progress(epoch=2, images_seen=3, seen_in_epoch=0, epoch_size=9, metrics=[0.5])


@pytest.mark.parametrize("wrong", [{"epoch": "1"}, {"images_seen": None}, {"metrics": 0.5}])
def test_a_state_without_counters_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="are no counters"):
        Progress().load_state_dict(Progress().state_dict() | wrong)


def test_the_stopwatch_tells_seconds_per_image_and_the_wait_for_data(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def slow_batches() -> object:
        for number in range(2):
            now[0] += 3  # loading
            yield number

    watch = Stopwatch()
    for _ in watch.waits(slow_batches()):  # type: ignore[arg-type]
        now[0] += 5  # computing
        watch.count(4)
    assert watch.lap() == ((3 + 5) * 2 / 8, 3 * 2 / 8)
    now[0] += 1
    assert watch.lap() == (1, 0)  # started over
