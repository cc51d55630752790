"""Where a training starts: afresh, from trained networks, or where a run was stopped."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from models.init_from import start_from
from models.saver import Saver
from models.schedule import is_over
from models.state import FoundState, has_state, read_state, write_weights
from models.trained_run import load_networks
from models.training import Training
from options.errors import UserError
from util.checkpoint import STATE_FILE, prefix_of
from util.distributed import launch_id, restarts
from util.run import record_options
from util.run_folder import (
    DAMAGED_STATE_FILE,
    STARTED_FILE,
    STATES,
    clear_run,
    make_folder,
    refuse_old_run,
    remove_leftovers,
    run_folder,
)
from util.run_lock import run_lock
from util.sinks.build import refuse_unusable

log = logging.getLogger(__name__)


def has_saved_before(run: Mapping[str, Any]) -> bool:
    """Tell whether ``torchrun --max-restarts`` starts a training again that has saved since it was started first.

    Args:
        run: the flags that name it.
    """
    folder = Path(run["checkpoints_dir"], run["name"])
    start, states = folder / STARTED_FILE, [folder / name for name in STATES if (folder / name).exists()]
    if not restarts() or not start.exists() or start.read_text() != launch_id():
        return False
    return any(path.stat().st_mtime_ns >= start.stat().st_mtime_ns for path in states)


def note_start(folder: Path) -> None:
    """Write down which launch of ``torchrun`` has trained here since when."""
    start = folder / STARTED_FILE
    if not restarts() or not start.exists() or start.read_text() != launch_id():
        start.write_text(launch_id())


@contextmanager
def started(training: Training) -> Iterator[Saver]:
    """Hold the run's folder while the body runs, with the training filled as the flags say; yield what saves it.

    Raises:
        UserError: the folder is in use, cannot be written or holds another run, there is nothing to go on from, or
            files are damaged or of another network.
    """
    world, folder = training.stepper.world, run_folder(training.opt)
    refuse_unusable(training.opt)
    with run_lock(make_folder(folder)) if world.is_main else nullcontext():
        found = fill_all(training, folder)
        if world.is_main:
            remove_leftovers(folder)
            if training.opt.start.overwrite:
                clear_run(folder)
            if not training.opt.start.continue_train:
                refuse_old_run(folder)
            note_start(folder)
            if found:
                complete_last_save(found, folder)
        del found  # as large as the training
        record_options(training.opt, world)
        log.info("The number of training images = %d", training.progress.epoch_size)
        yield Saver(training, folder)


def fill_all(training: Training, folder: Path) -> FoundState | None:
    """Load what ``--continue_train`` or ``--init_from`` asks for, in every process, before one changes the folder.

    Returns the state taken up.

    Raises:
        UserError: it did not work in one of them, or they have read different states.
    """
    world, start, failure, found = training.stepper.world, training.opt.start, None, None
    try:
        if start.continue_train:
            found = resume(training, folder)
        elif start.init_from:
            start_from(training.model, start.init_from, training.opt.run.checkpoints_dir)
    except UserError as error:
        failure = error
    if world.any(failure is not None):
        raise failure or UserError("another process could not start; its message says why")
    if not world.agree(training.progress.images_seen):
        raise UserError(f"the processes have read different states from {folder}; start again")
    return found


def resume(training: Training, folder: Path) -> FoundState | None:
    """Go on from the state file, which is returned, or from weight files where there is no state of that epoch.

    Raises:
        UserError: nothing to go on from, or files that are damaged or of another network.
    """
    opt, progress = training.opt, training.progress
    prefix = prefix_of(opt.run.epoch, opt.run.load_iter)
    if prefix != "latest" or not has_state(folder):
        load_networks(training.model, folder, prefix)
        log.warning(
            "only weights were loaded (%s_net_*.pth): optimizers, counters and averages start fresh, at epoch %d "
            "(--epoch_count)",
            prefix,
            opt.start.epoch_count,
        )
        return None
    found = read_state(folder)
    training.restore(found.state, str(found.path))
    if found.complaint:
        log.warning("%s; going on from %s instead", found.complaint, found.path)
    if progress.epoch > opt.optim.last_epoch:
        log.warning("the run is finished; raise --n_epochs or --n_epochs_decay to train on")
    elif is_over(opt.optim, progress, opt.val.patience):
        log.warning("the run was ended by --patience %d; raise it to train on (0: never)", opt.val.patience)
    if opt.start.epoch_count not in (1, progress.epoch):
        log.warning("--epoch_count %d is not used: the state file knows the epoch", opt.start.epoch_count)
    return found


def complete_last_save(found: FoundState, folder: Path) -> None:
    """Do what a kill or a full disk kept the save before from doing.

    A damaged state is put out of the way of the next save, which would keep it as the previous one; weight files that
    belong to the state are written.
    """
    try:
        if found.path.name != STATE_FILE and (folder / STATE_FILE).exists():
            os.replace(folder / STATE_FILE, folder / DAMAGED_STATE_FILE)
        write_weights(found.state, folder)
    except OSError as error:
        log.warning("cannot write to %s (%s)", folder, error.strerror or error)
