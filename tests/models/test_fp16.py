"""``--precision fp16``: one scaler for each optimizer, which knows an overflow from a divergence."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor

from models.base import Phase, TranslationModel
from models.optimizers import LEAST_SCALE
from models.stepper import Stepper
from networks.compute import Compute
from options.errors import DivergedError
from tests.models.test_compute import CPU, built, stepped
from tests.small import random_batch, weights
from util.progress import Progress

FP16 = Compute(CPU, "fp16")


def settled(case: str, flags: str = "", *, scale: float = 64.0) -> tuple[TranslationModel[Any], Stepper]:
    """Build a training whose scale has come down to where nothing overflows."""
    model, stepper = built(case, FP16, flags)
    for scaler in (optimizer.scaler for optimizer in stepper.optimizers.values()):
        scaler.load_state_dict(scaler.state_dict() | {"scale": scale})
    return model, stepper


def overflowing(stepper: Stepper, name: str) -> None:
    """Make the gradients of a phase too long for a number, its reported losses untouched."""
    place = next(place for place, phase in enumerate(stepper.phases) if phase.name == name)
    phase: Phase = stepper.phases[place]

    def steep(out: object) -> Any:
        loss = phase.loss(out)
        return loss._replace(total=loss.total + 1e37 * (loss.total - loss.total.detach()))

    stepper.phases[place] = phase._replace(loss=steep)


def scales(stepper: Stepper) -> dict[str, float]:
    return {name: optimizer.scaler.get_scale() for name, optimizer in stepper.optimizers.items()}


def copied(stepper: Stepper) -> dict[str, dict[str, Tensor]]:
    return {name: weights(network) for name, network in stepper.model.networks.items()}


@pytest.mark.parametrize("case", ["cycle_gan", "pix2pix batch"])
def test_losses_and_gradients_are_near_those_of_float32(case: str) -> None:
    flags = "--ngf 16 --ndf 16"
    reference, expected = stepped(case, Compute(CPU), flags=flags, steps=1)
    model, stepper = settled(case, flags)
    losses = stepper.step(random_batch(model.opt, 2, size=16), Progress()).losses
    assert {name: float(value) for name, value in losses.items()} == pytest.approx(expected[0], rel=0.01, abs=0.01)
    for network in reference.networks:
        one, other = (
            torch.cat([p.grad.flatten() for p in net.parameters() if p.grad is not None])
            for net in (reference.networks[network], model.networks[network])
        )
        assert other.norm() / one.norm() == pytest.approx(1, abs=0.05), "they are to be as long as without a scale"
        assert torch.nn.functional.cosine_similarity(one, other, dim=0) > 0.9


@pytest.mark.parametrize(("name", "other"), [("G", "D"), ("D", "G")])
@pytest.mark.parametrize("flags", ["", "--clip_grad 1", "--on_nan skip", "--accumulate 2 --memory low"])
def test_an_overflow_skips_the_update_of_its_own_optimizer_and_halves_its_scale(
    name: str, other: str, flags: str
) -> None:
    model, stepper = settled("cycle_gan", f"--batch_size 2 {flags}")
    progress = Progress()
    stepper.step(random_batch(model.opt, 2), progress)
    progress.advance(2)
    before, scale = copied(stepper), scales(stepper)
    overflowing(stepper, name)
    losses = stepper.step(random_batch(model.opt, 2, seed=1), progress).losses
    stepper.check_losses()
    assert all(value.isfinite() for value in losses.values())
    assert scales(stepper) == {name: scale[name] / 2, other: scale[other]}
    moved = {key for key, old in before.items() if not equal(old, weights(model.networks[key]))}
    assert moved == {f"{other}_A", f"{other}_B"}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[key], other[key]) for key in one)


def test_a_loss_that_is_no_number_is_still_noticed() -> None:
    model, stepper = settled("pix2pix", "--on_nan skip")
    before = copied(stepper)
    batch = random_batch(model.opt)
    stepper.step(batch._replace(A=batch.A * float("nan")), Progress())
    assert all(equal(before[name], weights(network)) for name, network in model.networks.items())
    stepper.step(batch, Progress())  # the scalers are as before
    assert not any(equal(before[name], weights(network)) for name, network in model.networks.items())


def test_clipped_gradients_have_the_length_asked_for_and_not_that_of_the_scale() -> None:
    model, stepper = settled("cycle_gan", "--clip_grad 0.001")
    stepper.step(random_batch(model.opt), Progress())
    for phase in stepper.phases:
        grads = [p.grad for name in phase.networks for p in model.networks[name].parameters() if p.grad is not None]
        assert torch.cat([grad.flatten() for grad in grads]).norm() == pytest.approx(0.001, rel=1e-3)


def test_the_scales_are_part_of_the_state() -> None:
    model, stepper = settled("cycle_gan", "--pool_size 2")
    overflowing(stepper, "D")
    progress = Progress()
    for step in range(2):
        stepper.step(random_batch(model.opt, seed=step), progress)
        progress.advance(1)
    again, other = built("cycle_gan", FP16, "--pool_size 2 --seed 1")
    again.load_state_dict(model.state_dict())
    for name, pool in again.pools.items():
        pool.load_state_dict(copy.deepcopy(model.pools[name].state_dict()), CPU)
    other.load_state_dict(copy.deepcopy(stepper.state_dict()))
    assert scales(other) == scales(stepper) == {"G": 64, "D": 16}
    for first in (stepper, other):
        first.phases = first.model.phases()
    batch = random_batch(model.opt, seed=7)
    assert other.step(batch, copy.copy(progress)).losses == stepper.step(batch, progress).losses
    assert copied(other).keys() == copied(stepper).keys()
    assert all(
        equal(mine, theirs) for mine, theirs in zip(copied(other).values(), copied(stepper).values(), strict=True)
    )


@pytest.mark.parametrize(("old", "new"), [(Compute(CPU), FP16), (FP16, Compute(CPU))])
def test_a_state_goes_into_a_run_of_another_precision(old: Compute, new: Compute) -> None:
    model, stepper = settled("pix2pix") if old is FP16 else built("pix2pix", old)
    stepper.step(random_batch(model.opt), Progress())
    again, other = settled("pix2pix") if new is FP16 else built("pix2pix", new)
    other.load_state_dict(copy.deepcopy(stepper.state_dict()))
    other.step(random_batch(again.opt), Progress(images_seen=1))
    assert ("scaler" in other.state_dict()["G"]) is (new.precision == "fp16")
    assert {float(values["step"]) for values in other.optimizers["G"].adam.state.values()} == {2}


def test_gradients_that_never_fit_are_said_to_with_what_to_pass() -> None:
    settled("pix2pix", scale=LEAST_SCALE)[1].check_losses()
    _, stepper = settled("pix2pix", scale=LEAST_SCALE / 2)
    with pytest.raises(DivergedError, match="phase . have long not been finite in fp16; .*--precision bf16 or fp32"):
        stepper.check_losses()
