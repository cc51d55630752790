"""The optimizer of each phase: Adam as the flags say, and what its gradients go through before it sees them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from networks.compute import Compute
from options.errors import DivergedError
from options.training import OptimOptions
from util.distributed import World
from util.gradient_sum import GradientSum

CHANGING = ("params", "lr")  # of a group's settings: all others are this run's own
LEAST_SCALE = 2.0**-14  # of fp16, which starts at 2 ** 16 and is halved by every step without finite gradients


class PhaseOptimizer:
    """Moves the weights of some networks down a loss whose summands are differentiated one by one.

    With fp16 gradients are scaled, so that they can be told from 0; those of all processes are added up; long ones are
    shortened (``--clip_grad``).
    """

    def __init__(self, networks: Sequence[nn.Module], opt: OptimOptions, compute: Compute, world: World) -> None:
        self.parameters = [parameter for network in networks for parameter in network.parameters()]
        self.adam = build_adam(self.parameters, opt, compute)
        self.scaler = compute.scaler()
        self.gradient_sum = GradientSum(self.parameters, world)
        self._world, self._clip = world, opt.clip_grad

    def zero_grad(self) -> None:
        """Forget the gradients of the last step."""
        self.adam.zero_grad()

    def backward(self, total: Tensor, *, is_all: bool) -> None:
        """Add the gradients of a summand; if it ``is_all`` there is, processes exchange them meanwhile."""
        with self.gradient_sum.beside_the_backward_pass() if is_all else nullcontext():
            self.scaler.scale(total).backward()  # type: ignore[no-untyped-call]

    def update(self) -> None:
        """Change the weights; with fp16 not where a gradient was too long for it, but halve its scale."""
        self.scaler.unscale_(self.adam)
        if self._clip:
            nn.utils.clip_grad_norm_(self.parameters, self._clip)
        self.scaler.step(self.adam)
        self.scaler.update()

    def is_broken(self, total: Tensor) -> bool:
        """Tell whether the loss or its gradients are no numbers, in any process. Synchronises the device.

        With a scaler the loss alone is looked at: gradients that are too long for fp16 are the scaler's to deal with.
        """
        looks_at = () if self.scaler.is_enabled() else self.parameters
        grads = [parameter.grad for parameter in looks_at if parameter.grad is not None]
        finite = torch.stack([value.detach().sum().isfinite() for value in (total, *grads)])
        return self._world.any(not bool(finite.all()))  # sync

    def check_scale(self, phase: str) -> None:
        """Raise a ``DivergedError`` if no gradient has fitted into fp16 for long. Synchronises the device."""
        if self.scaler.is_enabled() and self.scaler.get_scale() < LEAST_SCALE:  # sync
            raise DivergedError(
                f"the gradients of phase {phase} have long not been finite in fp16; lower --lr, or pass --precision "
                "bf16 or fp32"
            )

    def set_rate(self, rate: float) -> None:
        """Set the learning rate, in place where it lies on the device."""
        for group in self.adam.param_groups:
            group["lr"] = group["lr"].fill_(rate) if isinstance(group["lr"], Tensor) else rate

    def state_dict(self, rate: float) -> dict[str, Any]:
        """Return Adam's state, and the scaler's where there is one.

        Args:
            rate: the learning rate, as a plain number also where Adam has it on the device.
        """
        state = self.adam.state_dict()
        for group in state["param_groups"]:
            group["lr"] = rate
        if self.scaler.is_enabled():
            state["scaler"] = self.scaler.state_dict()  # sync
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state, but not the settings in it, which a resume may change."""
        fill_adam(self.adam, state)
        if "scaler" in state:  # else the state is of a run with another precision
            self.scaler.load_state_dict(state["scaler"])


def build_adam(parameters: Iterable[nn.Parameter], opt: OptimOptions, compute: Compute) -> torch.optim.Adam:
    """Build Adam; where the compute is not the reference, in one kernel that rounds a little otherwise."""
    if compute.recorded:
        return recordable_adam(parameters, opt, compute.device)
    fused = not compute.is_reference and compute.device.type in ("cpu", "cuda")
    kind = AnyOrderAdam if fused and compute.device.type == "cpu" else torch.optim.Adam
    return kind(parameters, lr=opt.lr, betas=(opt.beta1, 0.999), fused=True if fused else None)


class AnyOrderAdam(torch.optim.Adam):
    """An Adam for PyTorch's fused kernel on the CPU, which is shown all tensors in the order of the weights in memory.

    By itself it copies what is not contiguous, and errs where a gradient lies in another order than its weight.
    """

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> bool:
        is_complex: bool = super()._init_group(group, *lists)  # type: ignore[no-untyped-call]
        orders = [sorted(range(weight.dim()), key=weight.stride, reverse=True) for weight in lists[0]]
        for tensors in lists[:4]:  # weights, gradients and both moments
            tensors[:] = [one.permute(order) for one, order in zip(tensors, orders, strict=True)]
        weights, gradients, *moments = lists[:4]
        gradients[:] = [gradient.contiguous() for gradient in gradients]
        in_place = (one for tensors in (weights, *moments) for one in tensors)
        assert all(one.is_contiguous() for one in in_place)  # or copies would be updated
        return is_complex


def recordable_adam(parameters: Iterable[nn.Parameter], opt: OptimOptions, device: torch.device) -> torch.optim.Adam:
    """Return an Adam that asks the device nothing: the rate and the counts of steps lie there, one kernel does it all.

    The rate is a tensor, to be filled in place, and float32: bits may differ from those of an Adam with a plain number.
    """
    rate, betas = torch.tensor(opt.lr, device=device), (opt.beta1, 0.999)
    optimizer = torch.optim.Adam(parameters, lr=rate, betas=betas, fused=True, capturable=True)
    optimizer._warned_capturable_if_run_uncaptured = True  # type: ignore[attr-defined]  # the warm-ups are as it should be
    return optimizer


def fill_adam(optimizer: torch.optim.Adam, state: Mapping[str, Any]) -> None:
    """Take over moments, counts and learning rate, but not the settings, which a resume may change.

    Args:
        state: ``state_dict`` of an Adam for weights of the same shapes, on whatever device and in whatever layout.
    """
    own = [{key: value for key, value in group.items() if key not in CHANGING} for group in optimizer.param_groups]
    groups = [{**saved, **ours} for saved, ours in zip(state["param_groups"], own, strict=True)]
    rates = [group["lr"] for group in optimizer.param_groups]
    optimizer.load_state_dict({**state, "param_groups": groups})
    for group, rate in zip(optimizer.param_groups, rates, strict=True):
        if isinstance(rate, Tensor):  # a rate on the device stays there
            group["lr"] = rate.fill_(group["lr"])
        on_device = group["fused"] or group["capturable"]
        for parameter in group["params"]:
            _settle(parameter, optimizer.state.get(parameter, {}), on_device=on_device)


def _settle(parameter: nn.Parameter, values: dict[str, Any], *, on_device: bool) -> None:
    """Bring moments into the layout of their weights, and the count of steps to where Adam looks for it."""
    for key, value in values.items():
        if key == "step":
            values[key] = value.to(parameter.device if on_device else "cpu")
        elif value.shape == parameter.shape:
            values[key] = torch.empty_like(parameter).copy_(value)
