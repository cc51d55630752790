"""One training step: forward, then each phase's loss, backward and update.

The batch goes through the model whole, or split to save memory (``models.split``).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.base import Loss, Phase, TranslationModel
from models.divergence import LossWatch
from models.ema import Averages
from models.flag_checks import check_norm
from models.optimizers import PhaseOptimizer
from models.recorded_step import RecordedStep, refuse_to_record
from models.schedule import lr_factor
from models.split import Split, Splitter, Whole, added
from models.step_graph import Capture, CudaCapture
from networks.statistics import RunningStatistics
from options.errors import DivergedError
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
    """Takes steps, with an optimizer for each phase of a model."""

    def __init__(self, model: TranslationModel[Any], opt: OptimOptions, world: World, *, seed: int = 0) -> None:
        self.model, self.opt, self.world, self.seed = model, opt, world, seed
        self.phases = model.phases()
        self._changed_at = -1  # images seen before the step that last changed anything
        self._statistics = RunningStatistics(model.networks)
        self.averages = Averages(model.networks, opt.ema)
        self._skipped = 0  # steps in a row
        self._rate = self._first_rate = opt.first_rate(world.size)
        self._recorded: RecordedStep | None = None
        self._watch = LossWatch(world, stops=opt.on_nan == "stop")
        check_norm(model.opt.net.norm, opt, world.size)
        self._splitter = Splitter(model, opt)
        self.optimizers = {
            phase.name: PhaseOptimizer([model.networks[name] for name in phase.networks], opt, model.compute, world)
            for phase in self.phases
        }
        if model.compute.recorded:
            refuse_to_record(model.opt, world, model.pools.values())
            self.record(CudaCapture(world.device))

    def record(self, capture: Capture) -> None:
        """Take steps from a recording from now on."""
        self._recorded = RecordedStep(self._learn, self.model.pools.values(), capture, self.world.device)

    def step(self, batch: Batch, progress: Progress) -> Stepped:
        """Train on one batch.

        All randomness of the step derives from ``(seed, rank, images seen)``.

        Raises:
            UserError: the images do not fit the networks.
            DivergedError: with ``--on_nan skip``, nothing could be learned for many steps.
        """
        self.model.check_batch(batch)
        self._progress, self._weight = progress, batch.weight
        seed_step(self.seed, self.world.rank, progress.images_seen)
        self._statistics.keep()
        try:
            with self.model.compute.kernels():
                out, parts, accuracies = (self._recorded or self._learn)(batch)
            if self._recorded:
                self._changed_at = progress.images_seen  # a repeated step runs none of ``_learn``
        except Exception:  # whatever it is, it is raised again
            if self.is_between_steps(progress):  # nothing was updated
                self._statistics.restore()
            raise
        if not self.is_between_steps(progress):  # something was updated
            self.averages.update()
        losses = {name: parts[name] for name in [*self.model.loss_names, *parts] if name in parts}
        self._watch.note(progress.images_seen, batch, losses)
        if batch.weight != 1:  # the mean over processes is then that over images
            losses, accuracies = (
                {name: value * batch.weight for name, value in table.items()} for table in (losses, accuracies)
            )
        return Stepped(out, losses, accuracies)

    def _learn(self, batch: Batch) -> Stepped:
        work = self._splitter.start(batch)
        parts: dict[str, Tensor] = {}
        accuracies: dict[str, Tensor] = {}
        for phase in self.phases:
            optimizer = self.optimizers[phase.name]
            with only_trainable(self.model.networks, phase.networks):
                loss = self._differentiate(phase, work)
                parts |= loss.parts
                accuracies |= loss.accuracies
                if self.opt.on_nan == "skip" and optimizer.is_broken(loss.total):
                    self._skip(batch)
                    break
                self._changed_at = self._progress.images_seen
                optimizer.update()
        else:
            self._skipped = 0
        return Stepped(work.out(), parts, accuracies)

    def _differentiate(self, phase: Phase, work: Whole | Split) -> Loss:
        """Leave the gradients of the whole batch, over all processes, in a phase's networks; return its loss."""
        optimizer = self.optimizers[phase.name]
        optimizer.zero_grad()
        whole: Loss | None = None
        for loss in work.losses(phase):
            share = self._weight / self.world.size  # before norms or gradients are added up over the processes
            optimizer.backward(loss.total if share == 1 else loss.total * share, is_all=isinstance(work, Whole))
            whole = added(whole, loss)
        assert whole is not None, f"phase {phase.name} has no loss"
        optimizer.gradient_sum.finish()
        return whole

    def is_between_steps(self, progress: Progress) -> bool:
        """Tell whether networks, optimizers and counters belong together: no step is half done or not yet counted."""
        return self._changed_at < progress.images_seen

    def check_losses(self) -> None:
        """Look at all losses since the last look; every process must. Synchronises the device.

        Raises:
            DivergedError: one is no number; with ``--on_nan skip`` such steps were left out and none is raised. Or no
                gradient has fitted into fp16 for long.
        """
        self._watch.check()
        for name, optimizer in self.optimizers.items():
            optimizer.check_scale(name)

    def set_learning_rate(self, progress: Progress) -> float:
        """Set the rate of this epoch on all optimizers and return it."""
        before, rate = self._rate, self._first_rate * lr_factor(self.opt, progress.epoch, progress.metrics)
        for optimizer in self.optimizers.values():
            optimizer.set_rate(rate)
        self._rate = rate
        if rate != before:
            log.info("learning rate %.7f -> %.7f", before, rate)
        return rate

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizers' states by phase, each with its scaler's where there is one."""
        return {name: optimizer.state_dict(self._rate) for name, optimizer in self.optimizers.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the optimizers' states, but not the settings in them, which a resume may change."""
        if self._recorded:
            self._recorded.forget()
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])
            self._rate = float(state[name]["param_groups"][0]["lr"])

    def _skip(self, batch: Batch) -> None:
        """Leave the rest of a step out; what its earlier phases learned from good losses stays."""
        self._statistics.restore()
        self._skipped += 1
        log.warning(
            "a loss or gradient is no number after %d images, at %s: the rest of this step is skipped",
            self._progress.images_seen,
            ", ".join(batch.paths),
        )
        if self._skipped >= MOST_SKIPPED:
            raise DivergedError(
                f"nothing could be learned in {MOST_SKIPPED} steps in a row, {self._progress.images_seen} images "
                "after the start; lower --lr or choose another --gan_mode"
            )


def seed_step(seed: int, rank: int, images_seen: int) -> None:
    """Make dropout, image pool and penalty of the next step a function of the arguments."""
    mixed = (seed * 1_000_003 + rank) * 1_000_000_007 + images_seen
    torch.manual_seed(mixed % 2**63)
