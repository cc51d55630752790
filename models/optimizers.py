"""Adam as the flags say, and what of a saved one goes into another."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from networks.compute import Compute
from options.training import OptimOptions

CHANGING = ("params", "lr")  # of a group's settings: all others are this run's own


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


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all groups, in place where it lies on the device."""
    for group in optimizer.param_groups:
        group["lr"] = group["lr"].fill_(rate) if isinstance(group["lr"], Tensor) else rate


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
