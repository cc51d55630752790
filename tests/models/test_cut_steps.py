"""A step of CUT is the same mathematics however it is computed, and takes less memory than one of CycleGAN."""

from functools import partial
from typing import Any

import pytest
import torch

from models.base import TranslationModel
from models.registry import create_model
from models.stepper import Stepper
from networks.compute import Compute
from tests.exact_steps import assert_same_steps, taken
from tests.models.test_memory_low import Remembered
from tests.models.test_no_waiting import Asked
from tests.small import ALONE, random_batch, small_options, training
from util.progress import Progress

FAST = "--CUT_mode FastCUT"
ALL = "--num_patches 9999"  # every point of every map: then it does not matter in which order they are drawn


@pytest.mark.parametrize("flags", ["", "--norm none --init_gain 0.3", "--dropout", f"{FAST} --nce_idt", "--norm batch"])
def test_pieces_are_the_same_mathematics_with_the_same_places(flags: str) -> None:
    whole, low = (taken("cut", f"--num_patches 9 {flags} {memory}") for memory in ("", "--memory low"))
    assert_same_steps(low, whole)


@pytest.mark.parametrize("flags", [ALL, f"{ALL} --CUT_mode FastCUT --flip_equivariance false"])
def test_a_batch_in_parts_is_the_same_mathematics(flags: str) -> None:
    whole = taken("cut", flags)
    assert_same_steps(taken("cut", f"{flags} --accumulate 2"), whole)


def test_recomputed_blocks_are_the_same_mathematics() -> None:
    flags = "--netG resnet_2blocks --num_patches 9"
    assert_same_steps(taken("cut", f"{flags} --memory lowest"), taken("cut", flags))


def test_one_direction_remembers_less_than_two() -> None:
    most = {}
    for name, flags in (("cycle_gan", ""), ("cut", ""), ("cut", "--memory low"), ("cut", FAST)):
        few = "--num_patches 16 --netF_nc 8" if name == "cut" else ""  # as little beside the maps as in a real training
        model, stepper, progress = training(name, f"--netG resnet_6blocks {few} {flags}")
        batch = random_batch(model.opt, size=32)
        most[f"{name} {flags}".strip()] = Remembered()(partial(stepper.step, batch, progress))
    assert most["cut"] < 0.65 * most["cycle_gan"]
    assert most[f"cut {FAST}"] < 0.35 * most["cycle_gan"]
    assert most["cut --memory low"] < 0.6 * most["cut"]


@pytest.mark.parametrize("flags", ["", FAST])
def test_each_step_looks_at_other_places(flags: str) -> None:
    model, stepper, progress = training("cut", f"--num_patches 9 --lr 1e-12 {flags} --flip_equivariance false")
    batch = random_batch(model.opt)
    first = float(stepper.step(batch, progress).losses["NCE"])
    progress.advance(1)
    assert float(stepper.step(batch, progress).losses["NCE"]) != pytest.approx(first, rel=1e-6)


def built(flags: str, precision: str) -> tuple[TranslationModel[Any], Stepper]:
    """Build it with fast layers; with the reference's for ``fp32``."""
    opt = small_options("cut", flags)
    model = create_model(opt)
    model.compute = Compute(torch.device("cpu"), precision, fast_layers=precision != "fp32")
    model.compute.place(model.networks)
    return model, Stepper(model, opt.optim, ALONE, seed=0)


@pytest.mark.parametrize("precision", ["mixed", "bf16"])
def test_fast_layers_give_the_losses_of_the_reference(precision: str) -> None:
    losses = []
    for kind in ("fp32", precision):
        model, stepper = built(f"{ALL} --netG resnet_2blocks --init_type normal --init_gain 0.2", kind)
        found = stepper.step(random_batch(model.opt, 2, size=32), Progress()).losses
        losses.append({name: float(value) for name, value in found.items()})
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.networks.parameters())
    assert losses[1] == pytest.approx(losses[0], rel=1e-3 if precision == "mixed" else 0.05)


def test_a_step_asks_the_device_for_nothing() -> None:
    for flags in ("", FAST, "--memory low"):
        model, stepper = built(f"--num_patches 9 --batch_size 2 {flags}", "mixed")
        stepper.step(random_batch(model.opt, 2), Progress())
        with Asked() as mode:
            stepper.step(random_batch(model.opt, 2), Progress(images_seen=2))
        assert mode.names == []
