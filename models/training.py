"""What a training consists of, as one value that can be written down and taken up again."""

import logging
from collections.abc import Sequence
from typing import Any, NamedTuple

from models.base import TranslationModel
from models.state import FORMAT, State
from models.stepper import Stepper
from models.trained_run import describe, fill
from options.errors import UserError
from options.schema import Options
from options.stored import flatten
from options.taken_over import NOT_RESUMED
from util.progress import Progress

log = logging.getLogger(__name__)


class Training(NamedTuple):
    """The parts of a training that change, and the options that do not."""

    opt: Options
    model: TranslationModel[Any]
    stepper: Stepper
    progress: Progress

    def gather_others(self) -> list[Any]:
        """Return what the other processes have of their own, in the main one; all must call it.

        That is their image pools, and the running statistics of ``--norm batch``.
        """
        world = self.stepper.world
        own = {"model": self._pools(), "buffers": dict(self.model.networks.named_buffers())}
        return world.gather(own)[1:]

    def state(self, saved_as: Sequence[str] = (), others: Sequence[Any] = ()) -> State:
        """Return all of it as plain containers and the training's own tensors, not copies.

        Args:
            saved_as: prefixes of the weight files that are written with it.
            others: what ``gather_others`` returned.
        """
        return {
            "format": FORMAT,
            "networks": {name: net.state_dict() for name, net in self.model.networks.items()},
            "optimizers": self.stepper.state_dict(),
            "model": self._pools(),
            "others": list(others),
            "averages": self.stepper.averages.state_dict(),
            "progress": self.progress.state_dict(),
            "epoch_size": self.progress.epoch_size,
            "saved_as": list(saved_as),
            "seed": self.stepper.seed,
            "options": {name: value for name, value in flatten(self.opt).items() if name not in NOT_RESUMED},
        }

    def _pools(self) -> dict[str, Any]:
        return {name: pool.state_dict() for name, pool in self.model.pools.items()}

    def restore(self, state: State, source: str) -> None:
        """Take over a state.

        Args:
            source: the file, for messages.

        Raises:
            UserError: the state is of other networks, or incomplete.
        """
        model, progress = self.model, self.progress
        try:
            for name, net in model.networks.items():
                if name not in state["networks"]:
                    raise UserError(f"{source} has no network {name}; it is a {state['options'].get('model')} run")
                fill(net, state["networks"][name], source=f"{source} ({name})", flags=describe(model, name))
            self.stepper.load_state_dict(state["optimizers"])
            self._restore_own(state)
            self.stepper.averages.load_state_dict(state["averages"])
            progress.load_state_dict(state["progress"])
        except UserError:
            raise
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise UserError(
                f"{source} is incomplete ({error!r}); remove it to go on from the *_net_*.pth files"
            ) from error
        if progress.seen_in_epoch and state["epoch_size"] not in (0, progress.epoch_size):
            log.warning(
                "there are %d training images now and were %d: the rest of epoch %d follows another order",
                progress.epoch_size,
                state["epoch_size"],
                progress.epoch,
            )
        log.info("continuing from %s: epoch %d, %d images seen", source, progress.epoch, progress.images_seen)

    def _restore_own(self, state: State) -> None:
        """Take over what the process of this rank had of its own; where there were fewer, that of one of them."""
        world, parts = self.stepper.world, [{"model": state["model"], "buffers": {}}, *state["others"]]
        if len(parts) != world.size:
            log.info("saved by %d processes, continued by %d: each takes the image pool of one", len(parts), world.size)
        own, buffers = parts[world.rank % len(parts)], dict(self.model.networks.named_buffers())
        for name, pool in self.model.pools.items():
            pool.load_state_dict(own["model"][name], world.device)
        for name, value in own["buffers"].items():
            buffers[name].copy_(value)
