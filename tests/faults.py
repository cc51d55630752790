"""What can be built into a training of ``tests.nursery``. Nothing here is called in the test's own process."""

import fcntl
import importlib
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import filelock
import torch

import models.saver
import options.stored
import util.checkpoint
import util.run_lock
from models.state import State, write_state
from models.stepper import Stepper
from tests.nursery import TICK, go_mark, held_mark

WRITE, MOMENT, WITHOUT_LATEST = 0.0001, 0.005, 0.04  # seconds that parts of a save take longer on a slow disk


class Changed:
    """A module as one other module sees it, some of its functions replaced."""

    def __init__(self, module: ModuleType, **functions: Callable[..., Any]) -> None:
        self._module = module
        vars(self).update(functions)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def replace_in(module: ModuleType, **things: object) -> None:
    vars(module).update(things)


class SlowFile:
    """Every write of a file reaches the disk at once, and every tenth takes its time."""

    def __init__(self, file: Any) -> None:
        self._file, self._count = file, 0

    def write(self, data: Any) -> int:
        self._count += 1
        if self._count % 10 == 0:
            time.sleep(WRITE)
        count = self._file.write(data)
        self._file.flush()
        return int(count)

    def flush(self) -> None:
        self._file.flush()


def slow_disk() -> None:
    """Make each part of writing a file take long enough to be killed in it."""

    def replace(source: Path, target: Path) -> None:
        time.sleep(MOMENT)
        os.replace(source, target)
        time.sleep(WITHOUT_LATEST if target.name == util.checkpoint.PREVIOUS_STATE_FILE else MOMENT)

    def fsync(file: int) -> None:
        time.sleep(MOMENT)
        os.fsync(file)
        time.sleep(MOMENT)

    for module in (util.checkpoint, options.stored):
        replace_in(module, os=Changed(os, replace=replace, fsync=fsync))
    save: Callable[..., None] = torch.save
    replace_in(util.checkpoint, torch=Changed(torch, save=lambda value, file: save(value, SlowFile(file))))


class InheritedLock:
    """A lock as in versions of filelock before 4: forked processes hold it as well, until the last of them ends."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def acquire(self, timeout: float) -> None:
        self._file, deadline = os.open(self._path, os.O_RDWR | os.O_CREAT), time.monotonic() + timeout
        while True:
            try:
                return fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise filelock.Timeout(str(self._path)) from None
                time.sleep(TICK)

    def release(self) -> None:
        os.close(self._file)


def inherited_lock() -> None:
    replace_in(util.run_lock, FileLock=InheritedLock)


def die_between_state_and_weights() -> None:
    """End as by SIGKILL when the state of a finished epoch is on the disk, and the weights of that save are not."""

    def last_act(state: State, folder: Path) -> None:
        write_state(state, folder)
        if not state["progress"]["seen_in_epoch"]:
            os.kill(os.getpid(), signal.SIGKILL)

    replace_in(models.saver, write_state=last_act)


FAULTS: Mapping[str, Callable[[], None]] = {
    "slow_disk": slow_disk,
    "inherited_lock": inherited_lock,
    "die_between_state_and_weights": die_between_state_and_weights,
}


def set_constants(values: Mapping[str, float]) -> None:
    """Replace constants, named with their module."""
    for name, value in values.items():
        path, constant = name.rsplit(".", 1)
        module = importlib.import_module(path)
        assert constant in vars(module), name
        replace_in(module, **{constant: value})


def hold(notes: str, moments: tuple[int, ...]) -> None:
    """Wait before the step that follows so many images, the save under way done, until the test says go."""
    step = Stepper.step

    def held(self: Stepper, batch: Any, progress: Any) -> Any:
        if progress.images_seen in moments:
            for thread in threading.enumerate():
                if thread.name == "saving":
                    thread.join()
            Path(held_mark(notes, progress.images_seen)).touch()
            while not Path(go_mark(notes, progress.images_seen)).exists():
                time.sleep(TICK)
        return step(self, batch, progress)

    Stepper.step = held  # type: ignore[method-assign]
