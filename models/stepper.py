"""One training step: forward, then each phase's loss, backward and update."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.base import Phase, TranslationModel
from models.divergence import LossWatch
from models.schedule import lr_factor
from models.statistics import RunningStatistics
from options.errors import DivergedError, UserError
from options.training import OptimOptions
from util.distributed import World
from util.progress import Progress

log = logging.getLogger(__name__)

MOST_SKIPPED = 100  # steps in a row that --on_nan skip leaves out before it gives up


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


class Stepped(NamedTuple):
    """What a step leaves: the model's output; the losses and the discriminators' accuracies, scalars on the device."""

    out: Any
    losses: dict[str, Tensor]
    accuracies: dict[str, Tensor]


class Stepper:
    """Owns one Adam per phase of a model."""

    def __init__(self, model: TranslationModel[Any], opt: OptimOptions, world: World, *, seed: int = 0) -> None:
        self.model, self.opt, self.world, self.seed = model, opt, world, seed
        self.phases = model.phases()
        self._changed_at = -1  # images seen before the step that last changed anything
        self._statistics = RunningStatistics(model.networks)
        self._skipped = 0  # steps in a row
        self._watch = LossWatch(world, stops=opt.on_nan == "stop")
        self._check_norm(model.opt.net.norm)
        self.optimizers = {
            phase.name: torch.optim.Adam(self._parameters(phase.networks), lr=opt.lr, betas=(opt.beta1, 0.999))
            for phase in self.phases
        }

    def step(self, batch: Batch, progress: Progress) -> Stepped:
        """Train on one batch.

        All randomness of the step derives from ``(seed, rank, images seen)``.

        Raises:
            UserError: the images do not fit the networks.
            DivergedError: with ``--on_nan skip``, nothing could be learned for many steps.
        """
        self.model.check_batch(batch)
        seed_step(self.seed, self.world.rank, progress.images_seen)
        self._statistics.keep()
        try:
            with self.model.compute.kernels():
                out, parts, accuracies = self._learn(batch, progress)
        except Exception:  # whatever it is, it is raised again
            if self.is_between_steps(progress):  # nothing was updated
                self._statistics.restore()
            raise
        losses = {name: parts[name] for name in [*self.model.loss_names, *parts] if name in parts}
        self._watch.note(progress.images_seen, batch, losses)
        return Stepped(out, losses, accuracies)

    def _learn(self, batch: Batch, progress: Progress) -> Stepped:
        with self.model.compute.forward():
            out = self.model(batch)
        parts: dict[str, Tensor] = {}
        accuracies: dict[str, Tensor] = {}
        for phase in self.phases:
            with only_trainable(self.model.networks, phase.networks):
                with self.model.compute.forward():
                    loss = phase.loss(out)
                self.optimizers[phase.name].zero_grad()
                loss.total.backward()  # type: ignore[no-untyped-call]
                self.world.average_gradients(self._parameters(phase.networks))
                parts |= {name: value.detach() for name, value in loss.parts.items()}
                accuracies |= loss.accuracies
                if self.opt.on_nan == "skip" and self._is_broken(loss.total, phase):
                    self._skip(batch, progress)
                    break
                if self.opt.clip_grad:
                    nn.utils.clip_grad_norm_(self._parameters(phase.networks), self.opt.clip_grad)
                self._changed_at = progress.images_seen
                self.optimizers[phase.name].step()
        else:
            self._skipped = 0
        return Stepped(out, parts, accuracies)

    def is_between_steps(self, progress: Progress) -> bool:
        """Tell whether networks, optimizers and counters belong together: no step is half done or not yet counted."""
        return self._changed_at < progress.images_seen

    def check_losses(self) -> None:
        """Look at all losses since the last look; every process must. Synchronises the device.

        Raises:
            DivergedError: one is no number; with ``--on_nan skip`` such steps were left out and none is raised.
        """
        self._watch.check()

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
        """Take over the optimizers' states, but not the settings in them, which a resume may change."""
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])
            for parameter, values in optimizer.state.items():  # in the layout of the weights, whatever the file's
                for key, value in values.items():
                    if value.shape == parameter.shape:
                        values[key] = torch.empty_like(parameter).copy_(value)
            for group in optimizer.param_groups:
                group["betas"] = (self.opt.beta1, 0.999)

    def _is_broken(self, total: Tensor, phase: Phase) -> bool:
        """Tell whether the loss or its gradients are no numbers, in any process. Synchronises the device."""
        grads = [p.grad for p in self._parameters(phase.networks) if p.grad is not None]
        finite = torch.stack([value.detach().sum().isfinite() for value in (total, *grads)])
        return self.world.any(not bool(finite.all()))  # sync

    def _skip(self, batch: Batch, progress: Progress) -> None:
        """Leave the rest of a step out; what its earlier phases learned from good losses stays."""
        self._statistics.restore()
        self._skipped += 1
        log.warning(
            "a loss or gradient is no number after %d images, at %s: the rest of this step is skipped",
            progress.images_seen,
            ", ".join(batch.paths),
        )
        if self._skipped >= MOST_SKIPPED:
            raise DivergedError(
                f"nothing could be learned in {MOST_SKIPPED} steps in a row, {progress.images_seen} images after the "
                "start; lower --lr or choose another --gan_mode"
            )

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
