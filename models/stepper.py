"""One training step: forward, then each phase's loss, backward and update.

The batch goes through the model whole, or split to save memory (``models.split``).
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from data.batch import Batch
from models.base import Loss, Phase, TranslationModel
from models.divergence import LossWatch
from models.ema import Averages
from models.norm_flags import check_norm
from models.optimizers import build_adam, fill_adam, set_rate
from models.recorded_step import RecordedStep, refuse_to_record
from models.schedule import lr_factor
from models.split import Split, Splitter, Whole, added
from models.statistics import RunningStatistics
from options.errors import DivergedError
from options.training import OptimOptions
from util.distributed import World
from util.gradient_sum import GradientSum
from util.progress import Progress
from util.step_graph import Capture, CudaCapture

log = logging.getLogger(__name__)

MOST_SKIPPED = 100  # steps in a row that --on_nan skip leaves out before it gives up
LEAST_SCALE = 2.0**-14  # of fp16, which starts at 2 ** 16 and is halved by every step without finite gradients


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
        self.averages = Averages(model.networks, opt.ema)
        self._skipped = 0  # steps in a row
        self._rate = self._first_rate = opt.first_rate(world.size)
        self._recorded: RecordedStep | None = None
        self._watch = LossWatch(world, stops=opt.on_nan == "stop")
        check_norm(model.opt.net.norm, opt, world.size)
        self._splitter = Splitter(model, opt)
        self.optimizers = {
            phase.name: build_adam(self._parameters(phase.networks), opt, model.compute) for phase in self.phases
        }
        self.scalers = {phase.name: model.compute.scaler() for phase in self.phases}
        self.gradient_sums = {phase.name: GradientSum(self._parameters(phase.networks), world) for phase in self.phases}

        if model.compute.recorded:
            refuse_to_record(model.opt, world, model.image_pools())
            self.record(CudaCapture(world.device))

    def record(self, capture: Capture) -> None:
        """Take steps from a recording from now on."""
        self._recorded = RecordedStep(self._learn, self.model.image_pools(), capture, self.world.device)

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
            with only_trainable(self.model.networks, phase.networks):
                loss = self._differentiate(phase, work)
                parts |= loss.parts
                accuracies |= loss.accuracies
                if self.opt.on_nan == "skip" and self._is_broken(loss.total, phase):
                    self._skip(batch)
                    break
                self._changed_at = self._progress.images_seen
                self._update(phase)
        else:
            self._skipped = 0
        return Stepped(work.out(), parts, accuracies)

    def _differentiate(self, phase: Phase, work: Whole | Split) -> Loss:
        """Leave the gradients of the whole batch, over all processes, in a phase's networks; return its loss."""
        self.optimizers[phase.name].zero_grad()
        whole: Loss | None = None
        for loss in work.losses(phase):
            share = self._weight / self.world.size  # before norms or gradients are added up over the processes
            total = loss.total if share == 1 else loss.total * share
            whole_batch = isinstance(work, Whole)
            with self.gradient_sums[phase.name].beside_the_backward_pass() if whole_batch else nullcontext():
                self.scalers[phase.name].scale(total).backward()  # type: ignore[no-untyped-call]
            whole = added(whole, loss)
        assert whole is not None, f"phase {phase.name} has no loss"
        self.gradient_sums[phase.name].finish()
        return whole

    def _update(self, phase: Phase) -> None:
        """Change a phase's networks; with fp16 not where a gradient was too long for it, but halve its scale."""
        optimizer, scaler = self.optimizers[phase.name], self.scalers[phase.name]
        scaler.unscale_(optimizer)
        if self.opt.clip_grad:
            nn.utils.clip_grad_norm_(self._parameters(phase.networks), self.opt.clip_grad)
        scaler.step(optimizer)
        scaler.update()

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
        for name, scaler in self.scalers.items():
            if scaler.is_enabled() and scaler.get_scale() < LEAST_SCALE:  # sync
                raise DivergedError(
                    f"the gradients of phase {name} have long not been finite in fp16; lower --lr, or pass --precision "
                    "bf16 or fp32"
                )

    def set_learning_rate(self, progress: Progress) -> float:
        """Set the rate of this epoch on all optimizers and return it."""
        before, rate = self._rate, self._first_rate * lr_factor(self.opt, progress.epoch, progress.metrics)
        for optimizer in self.optimizers.values():
            set_rate(optimizer, rate)
        self._rate = rate
        if rate != before:
            log.info("learning rate %.7f -> %.7f", before, rate)
        return rate

    def state_dict(self) -> dict[str, Any]:
        """Return the optimizers' states by phase, each with its scaler's where there is one."""
        states = {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()}
        for group in (group for state in states.values() for group in state["param_groups"]):
            group["lr"] = self._rate  # a plain number, also where Adam has it on the device
        for name, scaler in self.scalers.items():
            if scaler.is_enabled():
                states[name]["scaler"] = scaler.state_dict()  # sync
        return states

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the optimizers' states, but not the settings in them, which a resume may change."""
        if self._recorded:
            self._recorded.forget()
        for name, optimizer in self.optimizers.items():
            fill_adam(optimizer, state[name])
            self._rate = float(state[name]["param_groups"][0]["lr"])
            if "scaler" in state[name]:  # else the state is of a run with another precision
                self.scalers[name].load_state_dict(state[name]["scaler"])

    def _is_broken(self, total: Tensor, phase: Phase) -> bool:
        """Tell whether the loss or its gradients are no numbers, in any process. Synchronises the device.

        With a scaler the loss alone is looked at: gradients that are too long for fp16 are the scaler's to deal with.
        """
        looks_at = () if self.scalers[phase.name].is_enabled() else phase.networks
        grads = [p.grad for p in self._parameters(looks_at) if p.grad is not None]
        finite = torch.stack([value.detach().sum().isfinite() for value in (total, *grads)])
        return self.world.any(not bool(finite.all()))  # sync

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

    def _parameters(self, names: tuple[str, ...]) -> list[nn.Parameter]:
        return [parameter for name in names for parameter in self.model.networks[name].parameters()]


def seed_step(seed: int, rank: int, images_seen: int) -> None:
    """Make dropout, image pool and penalty of the next step a function of the arguments."""
    mixed = (seed * 1_000_003 + rank) * 1_000_000_007 + images_seen
    torch.manual_seed(mixed % 2**63)
