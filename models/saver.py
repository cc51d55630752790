"""Keep a training safe: save it while it goes on, and whatever happens.

What is saved is copied in memory between two steps and written by a thread beside the training: one
self-contained state file, and the official weight files. A disk that refuses does not end the training.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.background import Background
from models.divergence import refuse_bad_weights
from models.schedule import is_over
from models.snapshot import Snapshot
from models.state import State, has_state, write_state, write_weights
from models.training import Training
from options.errors import CannotSaveError, DivergedError, SharedError, StoppedError
from util.checkpoint import save_file
from util.run import resume_command
from util.run_folder import DIVERGED_STATE_FILE, prune
from util.stop import StopSignals

log = logging.getLogger(__name__)

LAST_TRIES, PAUSE = 30, 10.0  # when the disk refuses the end of a run: how often to try again, and seconds between


class Saver:
    """Writes a training to its run folder, on the main process alone."""

    def __init__(self, training: Training, folder: Path) -> None:
        self.training, self.folder = training, folder
        self.world = training.stepper.world
        self._snapshot, self._background = Snapshot(), Background()
        self._safe = training.progress.images_seen  # images seen by the state on disk
        self._job: State = {}  # the last save
        self._failure: OSError | None = None  # of it

    @contextmanager
    def guarding(self) -> Iterator[StopSignals]:
        """Save what was learned, however the body ends; a training that has diverged, for inspection only.

        Yields what notes the signals, for the body to ask between two steps.
        """
        with StopSignals(self.world) as stop:
            try:
                yield stop
                self.finish(stop)
            except DivergedError as error:
                self._save_for_inspection()
                saved = has_state(self.folder)
                advice = "go on from the last save with --continue_train" if saved else "start again (nothing is saved)"
                raise DivergedError(f"{error}, and {advice}") from error
            except (StoppedError, SharedError) as stopped:
                if isinstance(stopped, StoppedError):
                    log.info("%s after %d images", stopped, self.training.progress.images_seen)
                self._save_before_the_end()
                raise
            except CannotSaveError:
                raise
            except Exception:  # whatever it is, it is raised again
                half_done = not self.training.stepper.is_between_steps(self.training.progress)
                if half_done or self.world.size > 1:  # what the other processes have of their own is out of reach
                    where = "in the middle of a step" if half_done else "without the other processes"
                    log.warning("stopped %s, which is not saved; %s", where, self._what_is_safe())
                else:
                    self._save_before_the_end()
                raise
            finally:
                self._background.wait()

    def save(self, *prefixes: str) -> None:
        """Save the state, then the networks under each prefix (``latest``, ``20``, ``iter_5000``).

        The files are written in the background, after those of the save before. A disk that refuses them is
        reported and does not stop the training.

        Raises:
            DivergedError: a loss or weight is no longer finite; nothing is written.
        """
        self.training.stepper.check_losses()
        refuse_bad_weights(self.training.model, self.world, self.training.progress.images_seen)
        self._take(prefixes)
        if self.world.is_main:
            self._background.start(self._write_or_warn)

    def save_in_epoch(self) -> None:
        """Save after a step; not after an epoch's last one if its end is saved as well, in the next moment."""
        progress = self.training.progress
        if self.training.opt.save.save_by_iter:
            self.save(f"iter_{progress.images_seen}")
        elif not (progress.epoch_is_over and self._is_due(progress.epoch)):
            self.save("latest")

    def save_epoch(self, epoch: int, *, measured: bool) -> None:
        """Save at the end of an epoch what the flags ask for: a numbered one, the last one, the best one.

        Args:
            measured: whether there was a validation.
        """
        due, metrics = self._is_due(epoch), self.training.progress.metrics
        best = measured and metrics[-1] < min(metrics[:-1], default=float("inf"))
        if due or best:
            self.save(*(["best"] if best else []), *(["latest", str(epoch)] if due else []))

    def _is_due(self, epoch: int) -> bool:
        """Tell whether the end of an epoch is saved, however good it is."""
        opt, progress = self.training.opt, self.training.progress
        ends = epoch == opt.optim.last_epoch or is_over(opt.optim, progress, opt.val.patience)
        return ends or epoch % opt.save.save_epoch_freq == 0

    def finish(self, stop: StopSignals | None = None) -> None:
        """Return when the last save lies on the disk; while the disk refuses, try again for some minutes.

        Args:
            stop: ends the waiting when a signal comes.

        Raises:
            CannotSaveError: it did not work.
        """
        self._background.wait()
        if self._failure:
            log.warning("trying again %d times, every %d seconds; make room in %s", LAST_TRIES, PAUSE, self.folder)
        for _ in range(LAST_TRIES if self._failure else 0):
            stopped = stop is not None and stop.wait(PAUSE)
            self._write()
            if not self._failure:
                log.info("saved")
            if stopped or not self._failure:
                break
        self._refuse_to_lose()

    def _take(self, prefixes: tuple[str, ...]) -> None:
        """Copy the training for writing, when the save before is done with its own copy; all processes must."""
        self._background.wait()
        others = self.training.gather_others()
        if not self.world.is_main:
            return
        if self._failure and self._job["saved_as"] != ["latest"]:
            self._write()  # numbered and best weights will not come again
        log.info("saving the model as %s (%d images seen)", ", ".join(prefixes), self.training.progress.images_seen)
        self._job = self._snapshot.take(self.training.state(prefixes, others))

    def _write_or_warn(self) -> None:
        self._write()
        if self._failure:
            log.warning(
                "cannot save %s to %s (%s); %s; the next save tries again",
                ", ".join(self._job["saved_as"]),
                self.folder,
                self._failure.strerror or self._failure,
                self._what_is_safe(),
            )

    def _write(self) -> None:
        """Write the last snapshot; note the disk's refusal instead of raising it.

        The state comes first, because all else can be written from it.
        """
        state, self._failure = self._job, None
        images_seen = state["progress"]["images_seen"]
        try:
            write_state(state, self.folder)
            self._safe = images_seen
            write_weights(state, self.folder)
            prune(self.folder, state["networks"], self.training.opt.save.keep_last, state["saved_as"])
        except OSError as error:
            self._failure = error

    def _save_before_the_end(self) -> None:
        """Save now and wait for it, unless nothing is new; say how to go on. All processes must.

        Raises:
            CannotSaveError: the disk refused.
        """
        self._background.wait()
        if self.world.any(self.world.is_main and self.training.progress.images_seen > self._safe):
            try:
                refuse_bad_weights(self.training.model, self.world, self.training.progress.images_seen)
            except DivergedError as error:
                log.warning("%s", error)
                return
            self._take(("latest",))
            if self.world.is_main:
                self._write()
        elif self._failure:  # of the weight files
            self._write()
        self._refuse_to_lose()
        if self._safe and self.world.is_main:
            command = resume_command(self.training.opt, self.world)
            log.info("everything learned in %d images is saved; to go on:\n    %s", self._safe, command)

    def _save_for_inspection(self) -> None:
        """Write a diverged training beside the last good state."""
        if self.world.is_main:
            self._background.wait()
            path = self.folder / DIVERGED_STATE_FILE
            try:
                save_file(self._snapshot.take(self.training.state()), path)
                log.warning("the diverged training is in %s for inspection; %s", path, self._what_is_safe())
            except OSError as error:
                log.warning("cannot write %s (%s)", path, error)

    def _refuse_to_lose(self) -> None:
        if self._failure:
            raise CannotSaveError(
                f"cannot save to {self.folder} ({self._failure.strerror}); {self._what_is_safe()}: make room, then "
                "go on with --continue_train"
            ) from self._failure

    def _what_is_safe(self) -> str:
        if not self.world.is_main:
            return "process 0 knows what is"
        if self._safe and not has_state(self.folder):
            return f"what was saved there, {self._safe} images seen, cannot be seen"
        return f"the state of {self._safe} images seen is whole" if self._safe else "nothing was saved before"
