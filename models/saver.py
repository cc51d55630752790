"""Save a training and go on with it: one self-contained state file, and the official weight files beside."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from models.base import TranslationModel
from models.stepper import Stepper
from models.trained_run import describe, fill, load_networks, save_networks
from options.errors import CannotSaveError, DivergedError, UserError
from options.schema import Options
from options.stored import flatten
from util.checkpoint import STATE_FILE, load_file, on_cpu, prefix_of, save_file
from util.progress import Progress
from util.run import run_folder

log = logging.getLogger(__name__)

FORMAT = 1


class Saver:
    """Knows what a training consists of and where it lies; writes on the main process alone."""

    def __init__(self, opt: Options, model: TranslationModel[Any], stepper: Stepper, progress: Progress) -> None:
        self.opt, self.model, self.stepper, self.progress = opt, model, stepper, progress
        self.folder = run_folder(opt)

    def save(self, *prefixes: str) -> None:
        """Write the state file, then the networks under each prefix (``latest``, ``20``, ``iter_5000``).

        Raises:
            DivergedError: a weight is no longer finite; nothing was written.
            CannotSaveError: the disk is full or read-only; the files from before are whole.
        """
        if not self.stepper.world.is_main:
            return
        seen = self.progress.images_seen
        log.info("saving the model as %s (%d images seen)", ", ".join(prefixes), seen)
        self._refuse_broken_weights()
        state = {
            "format": FORMAT,
            "networks": {name: net.state_dict() for name, net in self.model.networks.items()},
            "optimizers": self.stepper.state_dict(),
            "model": self.model.extra_state(),
            "progress": self.progress.state_dict(),
            "seed": self.stepper.seed,
            "options": flatten(self.opt),
        }
        try:
            save_file(on_cpu(state), self.folder / STATE_FILE)
            for prefix in prefixes:
                save_networks(self.model, self.folder, prefix)
        except OSError as error:
            raise CannotSaveError(
                f"cannot save to {self.folder} ({error.strerror}); what was saved before is whole: make room, then "
                "go on with --continue_train"
            ) from error

    def begin(self) -> None:
        """Resume with ``--continue_train``; else warn of an older run in the folder."""
        if self.opt.optim.continue_train:
            self.resume()
        elif (self.folder / STATE_FILE).exists():
            log.warning("%s holds an older run; the first save will replace it (--continue_train goes on)", self.folder)

    def resume(self) -> None:
        """Go on from the state file, or from official weight files where there is no state of that epoch.

        Raises:
            UserError: nothing to go on from, or files that are damaged or of another network.
        """
        opt = self.opt
        prefix = prefix_of(opt.run.epoch, opt.run.load_iter)
        path = self.folder / STATE_FILE
        if prefix == "latest" and path.exists():
            self._restore(load_file(path), path)
            if self.progress.epoch > opt.optim.last_epoch:
                log.warning("the run is finished; raise --n_epochs or --n_epochs_decay to train on")
            if opt.optim.epoch_count not in (1, self.progress.epoch):
                log.warning("--epoch_count %d is not used: the state file knows the epoch", opt.optim.epoch_count)
            return
        load_networks(self.model, self.folder, prefix)
        log.warning(
            "only weights were loaded (%s_net_*.pth): optimizers and counters start fresh, at epoch %d (--epoch_count)",
            prefix,
            opt.optim.epoch_count,
        )

    def _restore(self, state: Any, path: Path) -> None:
        if not isinstance(state, dict) or state.get("format") != FORMAT:
            raise UserError(f"{path} is not a state file of this program's format {FORMAT}; remove it to load weights")
        try:
            for name, net in self.model.networks.items():
                if name not in state["networks"]:
                    raise UserError(f"{path} has no network {name}; it is a {state['options'].get('model')} run")
                fill(net, state["networks"][name], source=f"{path} ({name})", flags=describe(self.model, name))
            self.stepper.load_state_dict(state["optimizers"])
            self.model.load_extra_state(state["model"])
            self.progress.load_state_dict(state["progress"])
        except UserError:
            raise
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"{path} is incomplete ({error!r}); remove it to go on from the *_net_*.pth files"
            ) from error
        log.info("continuing from %s: epoch %d, %d images seen", path, self.progress.epoch, self.progress.images_seen)

    def _refuse_broken_weights(self) -> None:
        """Keep the last good save where training has diverged since."""
        finite = [weights.isfinite().all() for weights in self.model.networks.parameters()]
        if not bool(torch.stack(finite).all()):  # sync
            raise DivergedError(
                f"the weights are no longer finite after {self.progress.images_seen} images and were not saved; lower "
                "--lr or choose another --gan_mode, and go on from the last save with --continue_train"
            )

    @contextmanager
    def saving_on_error(self) -> Iterator[None]:
        """Save what was learned before a bad image or the like ends the run; not after a divergence."""
        try:
            yield
        except (DivergedError, CannotSaveError):
            raise
        except UserError:
            if self.progress.images_seen:
                self.save("latest")
                log.info("saved the latest model before stopping (%d images seen)", self.progress.images_seen)
            raise
