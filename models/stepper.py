"""One training step: forward, then each phase's loss, backward and update."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.base import TranslationModel
from models.schedule import lr_factor
from options.errors import UserError
from options.schema import OptimOptions
from util.distributed import World
from util.progress import Progress

log = logging.getLogger(__name__)


@contextmanager
def only_trainable(networks: nn.ModuleDict, names: tuple[str, ...]) -> Iterator[None]:
    """Freeze all networks but the named ones, and restore what was."""
    before = {parameter: parameter.requires_grad for parameter in networks.parameters()}
    for name, network in networks.items():
        if name not in names:
            network.requires_grad_(False)
    try:
        yield
    finally:
        for parameter, required in before.items():
            parameter.requires_grad_(required)


class Stepper:
    """Owns one Adam per phase of a model."""

    def __init__(self, model: TranslationModel[Any], opt: OptimOptions, world: World, *, seed: int = 0) -> None:
        self.model, self.opt, self.world, self.seed = model, opt, world, seed
        self.phases = model.phases()
        self._check_norm(model.opt.net.norm)
        self.optimizers = {
            phase.name: torch.optim.Adam(self._parameters(phase.networks), lr=opt.lr, betas=(opt.beta1, 0.999))
            for phase in self.phases
        }

    def step(self, batch: Batch, progress: Progress) -> tuple[Any, dict[str, Tensor]]:
        """Train on one batch; return the model's output and the losses, on the device.

        All randomness of the step derives from ``(seed, rank, images seen)``.

        Raises:
            UserError: the images do not fit the networks.
        """
        self.model.check_batch(batch)
        seed_step(self.seed, self.world.rank, progress.images_seen)
        out = self.model(batch)
        parts: dict[str, Tensor] = {}
        for phase in self.phases:
            with only_trainable(self.model.networks, phase.networks):
                loss = phase.loss(out)
                self.optimizers[phase.name].zero_grad()
                loss.total.backward()  # type: ignore[no-untyped-call]
                self.world.average_gradients(self._parameters(phase.networks))
                self.optimizers[phase.name].step()
            parts |= {name: value.detach() for name, value in loss.parts.items()}
        return out, {name: parts[name] for name in [*self.model.loss_names, *parts] if name in parts}

    def set_learning_rate(self, progress: Progress) -> float:
        """Set the rate of this epoch on all optimizers and return it."""
        before = next(iter(self.optimizers.values())).param_groups[0]["lr"]
        rate = self.opt.lr * lr_factor(self.opt, progress.epoch, progress.metrics)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = rate
        if rate != before:
            log.info("learning rate %.7f -> %.7f", before, rate)
        return rate

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizers' states by phase."""
        return {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the optimizers' states."""
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])

    def _check_norm(self, norm: str) -> None:
        """Say what a batch norm means for several processes."""
        if self.world.size == 1:
            return
        if norm == "syncbatch" and self.world.device.type != "cuda":
            raise UserError("--norm syncbatch needs GPUs where there are several processes; use --norm instance")
        if norm == "batch":
            log.warning("--norm batch takes the statistics of each process alone; --norm syncbatch those of all")

    def _parameters(self, names: tuple[str, ...]) -> list[nn.Parameter]:
        return [parameter for name in names for parameter in self.model.networks[name].parameters()]


def seed_step(seed: int, rank: int, images_seen: int) -> None:
    """Make dropout, image pool and penalty of the next step a function of the arguments."""
    mixed = (seed * 1_000_003 + rank) * 1_000_000_007 + images_seen
    torch.manual_seed(mixed % 2**63)
