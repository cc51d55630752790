"""A training that is killed, again and again and in the middle of its saves, loses next to nothing and learns the same.

The processes are real and so is SIGKILL. The disk is made slow on purpose, in the children alone, so that most kills
fall into a save. KILLS=200 kills so often.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from torch.utils.data._utils import MP_STATUS_CHECK_INTERVAL

from models.state import has_state
from tests.conftest import TINY
from tests.nursery import LONGEST, Nursery, alive
from tests.same_runs import assert_same_checkpoints, assert_whole, checkpoints, differences, images_saved, reports
from util.checkpoint import PREVIOUS_STATE_FILE, STATE_FILE
from util.run_lock import PATIENCE

KILLS = max(14, int(os.environ.get("KILLS", "24")))
IMAGES, EPOCHS = 12, 2 * (KILLS // 4 + 1)  # more than they let it learn
PHASES = {"train": IMAGES}
LONGEST_LIFE = 1.5  # seconds
KILLED = -9
FLAGS = (
    f"{TINY} --dropout --pool_size 2 --netG resnet_1blocks --display_freq 6 --save_latest_freq 3 --save_epoch_freq 4 "
    f"--keep_last 2 --n_epochs {EPOCHS // 2} --n_epochs_decay {EPOCHS // 2}"
)


def words(name: str, flags: str = "--num_threads 0") -> list[object]:
    return ["--dataroot", "data", *FLAGS.split(), "--resume", "auto", "--name", name, *flags.split()]


class Moment(NamedTuple):
    """What can be seen of a run at some moment of a life that began at ``since``, by the disk's clock."""

    run: Path
    since: int  # ns

    def any(self) -> bool:
        return True

    def half_written(self) -> bool:
        """A checkpoint file is being written."""
        return any(self._is_new(path) for path in self.run.glob("*.pth.tmp"))

    def first_save(self) -> bool:
        return self.half_written() and not has_state(self.run)

    def without_latest(self) -> bool:
        """The latest state has become the previous one, and the next latest has not its name yet."""
        return (self.run / PREVIOUS_STATE_FILE).exists() and not (self.run / STATE_FILE).exists()

    def _is_new(self, path: Path) -> bool:
        try:
            return path.stat().st_mtime_ns > self.since
        except FileNotFoundError:  # renamed meanwhile
            return False


@pytest.fixture(scope="module")
def whole(place: Nursery) -> Path:
    """The folder of a run that nobody disturbed."""
    done = place.run(words("whole"))
    assert done.code == 0, done.stderr
    return place.folder / "checkpoints" / "whole"


def killed_once(place: Nursery, run: Path, seconds: float, has_come: Callable[[Moment], bool]) -> Moment:
    """Start or resume a training and kill it after so many seconds, as soon as the moment has come."""
    moment = Moment(run, time.time_ns())
    life = place.start(words(run.name), faults=("slow_disk",))
    time.sleep(seconds)
    deadline = time.monotonic() + LONGEST
    while life.lives() and not has_come(moment):
        assert time.monotonic() < deadline, "the moment never came"
        time.sleep(0.0005)
    life.kill()
    done = life.wait()
    assert done.code != 0, "it is finished before all kills are done: raise EPOCHS, unless the moment cannot come"
    assert done.code == KILLED, f"a life did not survive the kill before it:\n{done.stdout}\n{done.stderr}"
    return moment


@pytest.mark.slow
def test_many_kills_change_nothing_of_what_is_learned(place: Nursery, whole: Path) -> None:
    chance, run = random.Random(1), place.folder / "checkpoints" / "killed"
    moments = [Moment.any] * (KILLS - 13) + [Moment.half_written] * 5 + [Moment.without_latest] * 5
    chance.shuffle(moments)
    kills: Counter[str] = Counter()
    saved = 0
    for has_come in [Moment.first_save] * 3 + moments:
        seconds = 0 if has_come is Moment.first_save else LONGEST_LIFE * chance.random() ** 2
        moment = killed_once(place, run, seconds, has_come)
        kills["in all"] += 1
        kills["in the writing of a file"] += moment.half_written()
        kills["before the first state was whole"] += not has_state(run)
        kills["with the previous state alone"] += moment.without_latest()
        before, saved = saved, images_saved(run)
        kills["that had saved something new"] += saved > before
        assert saved >= before, "a state that was safe is lost"
        assert_whole(run)

    last = place.run(words("killed"))
    assert last.code == 0, last.stderr
    print("kills:", dict(kills), "images saved by the last of them:", saved, "of", IMAGES * EPOCHS)
    assert kills["in the writing of a file"] > 5
    assert kills["before the first state was whole"] > 0
    assert kills["with the previous state alone"] > 0
    assert_same_checkpoints(run, whole)
    assert reports(run) == reports(whole)
    assert not list(run.rglob("*.tmp"))


@pytest.mark.slow
@pytest.mark.parametrize("lock", ["filelock", "inherited_lock"])
def test_loading_processes_that_outlive_a_killed_training_do_not_keep_the_next_one_out(
    lock: str, place: Nursery
) -> None:
    faults = () if lock == "filelock" else (lock,)
    flags = words(lock, "--num_threads 2 --n_epochs 1 --n_epochs_decay 0 --save_latest_freq 4")
    life = place.start(flags, holds=(5,), faults=faults)
    life.reach(5)
    loaders = life.loaders()
    life.kill()
    assert life.wait().code == KILLED
    assert any(alive(loader) for loader in loaders)  # one may just have looked for its parent
    assert PATIENCE > MP_STATUS_CHECK_INTERVAL  # seconds after which a loading process looks for its parent
    done = place.run(flags, faults=faults, constants={"util.run_lock.PATIENCE": 30})  # this machine may be busy
    assert done.code == 0, done.stderr
    assert "epoch 1, 4 images seen" in done.stdout
    assert images_saved(place.folder / "checkpoints" / lock) == IMAGES


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_kill_between_the_state_and_the_weights_of_a_save_does_not_cost_the_weights(
    epochs: int, place: Nursery
) -> None:
    runs = place.folder / "checkpoints"
    flags = f"--num_threads 0 --n_epochs {epochs} --n_epochs_decay 0 --save_epoch_freq 1"
    assert place.run(words(f"whole{epochs}", flags)).code == 0
    assert place.run(words(f"torn{epochs}", flags), faults=("die_between_state_and_weights",)).code == KILLED
    done = place.run(words(f"torn{epochs}", flags))
    assert done.code == 0, done.stderr
    mine, expected = (checkpoints(runs / f"{name}{epochs}", "*_net_*.pth") for name in ("torn", "whole"))
    assert differences(mine, expected) == []
