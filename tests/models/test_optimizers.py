"""Adam in one kernel where the compute is not the reference; its states fit any other run."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.optimizers import build_adam
from models.stepper import Stepper
from networks.compute import Compute
from options.cli import parse_train
from tests.models.test_compute import BF16, CPU, FAST, built
from tests.small import random_batch, weights
from util.progress import Progress

PLAIN = Compute(CPU)


def settings(stepper: Stepper) -> list[tuple[Any, ...]]:
    groups = [group for optimizer in stepper.optimizers.values() for group in optimizer.adam.param_groups]
    return [(bool(group["fused"]), group["foreach"], group["capturable"]) for group in groups]


def after_two(start: Compute, then: Compute) -> Stepper:
    """Take a step in one way, and one from its state in another."""
    model, stepper = built("pix2pix batch", start, "--lr 0.01")
    stepper.step(random_batch(model.opt), Progress())
    again, other = built("pix2pix batch", then, "--lr 0.01")
    again.load_state_dict(model.state_dict())
    other.load_state_dict(copy.deepcopy(stepper.state_dict()))
    other.step(random_batch(model.opt, seed=1), Progress(images_seen=1))
    return other


@pytest.mark.parametrize(("compute", "fused"), [(PLAIN, False), (FAST, True), (BF16, True)])
def test_it_is_one_kernel_where_bits_may_differ(compute: Compute, fused: bool) -> None:
    _, stepper = built("cycle_gan", compute)
    assert settings(stepper) == [(fused, None, False)] * 2


@pytest.mark.parametrize(("start", "then"), [(PLAIN, FAST), (FAST, PLAIN)])
def test_a_state_goes_into_a_run_with_the_other_adam(start: Compute, then: Compute) -> None:
    changed, unchanged = after_two(start, then), after_two(then, then)
    assert settings(changed) == settings(unchanged)
    counts = {float(values["step"]) for o in changed.optimizers.values() for values in o.adam.state.values()}
    assert counts == {2}
    for name, network in changed.model.networks.items():
        for key, value in weights(network).items():
            expected = unchanged.model.networks[name].state_dict()[key]
            torch.testing.assert_close(value, expected, rtol=1e-3, atol=2e-4, msg=f"{name}.{key}")


def test_settings_of_the_file_do_not_win() -> None:
    model, stepper = built("pix2pix", PLAIN)
    stepper.step(random_batch(model.opt), Progress())
    state = copy.deepcopy(stepper.state_dict())
    for saved in state.values():
        saved["param_groups"][0] |= {"fused": True, "foreach": True, "capturable": True, "betas": (0.1, 0.2), "lr": 7.0}
    _, other = built("pix2pix", PLAIN, "--beta1 0.9")
    other.load_state_dict(state)
    assert settings(other) == [(False, None, False)] * 2
    (group, _) = [optimizer.adam.param_groups[0] for optimizer in other.optimizers.values()]
    assert (group["betas"], group["lr"]) == ((0.9, 0.999), 7.0)


def test_a_state_of_before_the_first_step_adds_nothing() -> None:
    _, stepper = built("pix2pix", PLAIN)
    _, other = built("pix2pix", PLAIN)
    other.load_state_dict(copy.deepcopy(stepper.state_dict()))
    assert all(not optimizer.adam.state for optimizer in other.optimizers.values())


@pytest.mark.parametrize("shape", [(8, 6, 4, 4), (1, 5, 3, 3)])
@pytest.mark.parametrize("orders", [(True, False), (False, True), (True, True)])
def test_the_order_of_weights_and_gradients_in_memory_does_not_matter(
    shape: tuple[int, ...], orders: tuple[bool, bool]
) -> None:
    """Adam by Kingma and Ba (2015), algorithm 1, in float64 beside it."""
    generator = torch.Generator().manual_seed(0)
    value, first, second = (torch.randn(shape, generator=generator) for _ in range(3))

    def laid(tensor: Tensor, channels_last: bool) -> Tensor:
        return tensor.clone(memory_format=torch.channels_last if channels_last else torch.contiguous_format)

    weight = nn.Parameter(laid(value, orders[0]))
    optimizer = build_adam([weight], parse_train(["--model", "pix2pix", "--dataroot", "x"]).optim, FAST)
    expected, mean, square = value.double(), torch.zeros_like(value.double()), torch.zeros_like(value.double())
    for step, gradient in enumerate((first, second), 1):
        weight.grad = laid(gradient, orders[1])
        optimizer.step()
        mean, square = 0.5 * mean + 0.5 * gradient, 0.999 * square + 0.001 * gradient.double() ** 2
        expected = expected - 0.0002 * (mean / (1 - 0.5**step)) / ((square / (1 - 0.999**step)).sqrt() + 1e-8)
    torch.testing.assert_close(weight.detach().double(), expected, rtol=1e-5, atol=1e-7)
