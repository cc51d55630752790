"""Faster ways to compute a step are the same mathematics as the float32 reference."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

import networks.compute
from models.base import TranslationModel
from models.registry import create_model
from models.stepper import Stepper
from networks.compute import Compute, choose_compute
from networks.fast.layers import FastLayer
from options.errors import UserError
from tests.conftest import RunCli
from tests.small import ALONE, random_batch, small_options
from util.progress import Progress

CPU = torch.device("cpu")
FAST = Compute(CPU, channels_last=True)  # float32, but batched and in another layout
FAST_LAYERS = Compute(CPU, fast_layers=True)
MIXED = Compute(CPU, "mixed", fast_layers=True)
BF16 = Compute(CPU, "bf16")
CASES = {
    "cycle_gan": "--norm instance --pool_size 0",
    "pix2pix": "--norm instance --no_dropout",
    "cycle_gan none": "--norm none --pool_size 2",
    "pix2pix batch": "--norm batch --no_dropout",
}


def built(case: str, compute: Compute, flags: str = "") -> tuple[TranslationModel[Any], Stepper]:
    opt = small_options(case.split()[0], f"{CASES[case]} {flags}")
    model = create_model(opt)
    model.compute = compute
    compute.place(model.networks)
    return model, Stepper(model, opt.optim, ALONE)


def stepped(
    case: str, compute: Compute, *, steps: int = 2, double: bool = False, flags: str = "", size: int = 16
) -> tuple[TranslationModel[Any], list[dict[str, float]]]:
    """Train and return the model, with the gradients of its last step, and all losses."""
    model, stepper = built(case, compute, flags)
    progress, losses = Progress(), []
    if double:
        model.double()
    for step in range(steps):
        batch = random_batch(model.opt, 2, seed=step, size=size)
        if double:
            batch = batch._replace(A=batch.A.double(), B=batch.target.double())
        losses.append({name: float(value) for name, value in stepper.step(batch, progress).losses.items()})
        progress.advance(2)
    return model, losses


def gradients(model: TranslationModel[Any]) -> dict[str, Tensor]:
    return {name: p.grad for name, p in model.networks.named_parameters() if p.grad is not None}


def cosines(one: TranslationModel[Any], other: TranslationModel[Any]) -> dict[str, float]:
    """Return by network the cosine of the angle between two models' gradients, which are equally long."""
    found = {}
    for network in one.networks:
        first, second = (
            torch.cat([g.flatten().double() for name, g in gradients(m).items() if name.startswith(f"{network}.")])
            for m in (one, other)
        )
        found[network] = float(F.cosine_similarity(first, second, dim=0))
        assert second.norm() / first.norm() == pytest.approx(1, abs=0.05), network
    return found


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("compute", [FAST, FAST_LAYERS], ids=str)
def test_one_call_for_several_passes_and_fast_layers_are_the_same_mathematics(case: str, compute: Compute) -> None:
    reference, expected = stepped(case, Compute(CPU), double=True, flags="--ngf 8")
    fast, losses = stepped(case, compute, double=True, flags="--ngf 8")
    assert losses == [pytest.approx(step, rel=1e-9, abs=1e-9) for step in expected]
    for name, gradient in gradients(reference).items():
        torch.testing.assert_close(gradients(fast)[name], gradient, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("compute", [FAST, FAST_LAYERS], ids=str)
def test_float32_in_another_order_stays_within_rounding(case: str, compute: Compute) -> None:
    slow = "--lr 0.00002 --ngf 8"  # with larger steps Adam makes rounding grow until two runs part
    _, expected = stepped(case, Compute(CPU), steps=20, flags=slow)
    _, losses = stepped(case, compute, steps=20, flags=slow)
    assert losses == [pytest.approx(step, rel=1e-4, abs=1e-4) for step in expected]


@pytest.mark.parametrize("case", CASES)
def test_losses_of_mixed_steps_stay_with_float32_ones(case: str) -> None:
    _, expected = stepped(case, Compute(CPU), steps=20, flags="--ngf 8")
    _, losses = stepped(case, MIXED, steps=20, flags="--ngf 8")
    assert losses == [pytest.approx(step, rel=0.02, abs=0.01) for step in expected]


@pytest.mark.parametrize("case", CASES)
def test_mixed_gradients_point_where_float32_ones_do(case: str) -> None:
    flags = "--ngf 16 --ndf 16 --netG resnet_9blocks" if case == "cycle_gan" else "--ngf 16 --ndf 16"
    reference, _ = stepped(case, Compute(CPU), steps=1, flags=flags, size=32)
    fast, _ = stepped(case, MIXED, steps=1, flags=flags, size=32)
    assert min(cosines(reference, fast).values()) > 0.995


def test_a_gradient_penalty_needs_the_plain_layers() -> None:
    model = create_model(small_options("cycle_gan", "--gan_mode wgangp --precision mixed")).place(CPU)
    changed = {name for name, net in model.networks.items() for layer in net.modules() if isinstance(layer, FastLayer)}
    assert changed == {"G_A", "G_B"}
    assert torch.isfinite(
        Stepper(model, model.opt.optim, ALONE).step(random_batch(model.opt, 2), Progress()).out.A.rec
    ).all()


@pytest.mark.parametrize(("case", "expected"), [("pix2pix batch", [2, 2, 2]), ("pix2pix", [4, 2])])
def test_batch_norm_never_sees_images_of_two_passes_at_once(case: str, expected: list[int]) -> None:
    calls: list[int] = []
    model, stepper = built(case, FAST)
    model.networks["D"].register_forward_hook(lambda net, given, out: calls.append(len(out)))
    stepper.step(random_batch(model.opt, 2), Progress())
    assert calls == expected


def test_images_of_unequal_size_pass_by_themselves() -> None:
    model, stepper = built("cycle_gan", FAST)
    batch = random_batch(model.opt, 1)
    bigger = random_batch(model.opt, 1, size=24)
    stepper.step(batch._replace(B=bigger.target), Progress())


@pytest.mark.parametrize("case", ["cycle_gan", "pix2pix", "pix2pix batch"])
def test_bfloat16_gradients_point_about_where_float32_ones_do(case: str) -> None:
    """What a generator's ReLUs and the signs of L1 let through differs for values near 0 (docs/performance.md)."""
    flags = "--ngf 16 --ndf 16"
    reference, expected = stepped(case, Compute(CPU), steps=1, flags=flags, size=32)
    fast, losses = stepped(case, BF16, steps=1, flags=flags, size=32)
    assert losses[0] == pytest.approx(expected[0], rel=0.02, abs=0.02)
    for network, cosine in cosines(reference, fast).items():
        assert cosine > (0.99 if network.startswith("D") else 0.9), network


def test_what_is_kept_and_shown_is_float32_in_bfloat16_too() -> None:
    model, stepper = built("cycle_gan", BF16)
    out = stepper.step(random_batch(model.opt, 1), Progress()).out
    assert {image.dtype for half in out for image in half} == {torch.float32}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert {p.grad.dtype for p in model.parameters() if p.grad is not None} == {torch.float32}


@pytest.mark.skipif(shutil.which("g++") is None, reason="compiling for the CPU needs g++")
@pytest.mark.slow
@pytest.mark.parametrize("case", ["cycle_gan", "pix2pix batch"])
def test_compiled_networks_learn_what_others_learn(case: str) -> None:
    slow = "--lr 0.00002 --no_dropout"
    _, expected = stepped(case, Compute(CPU), steps=3, flags=slow)
    fast, losses = stepped(case, Compute(CPU, compiled=True, channels_last=True), steps=3, flags=slow)
    assert losses == [pytest.approx(step, rel=1e-4, abs=1e-4) for step in expected]
    reference, _ = built(case, Compute(CPU))
    assert fast.networks.state_dict().keys() == reference.networks.state_dict().keys()  # as checkpoint files hold them


@pytest.mark.parametrize(
    ("flags", "device", "words"),
    [
        ("--precision tf32", "cpu", "--precision tf32 needs an NVIDIA GPU of 2020 or later, not cpu; pass fp32"),
        ("--precision fp16", "cpu", "--precision fp16 needs an NVIDIA GPU, not cpu; pass bf16 or fp32"),
        ("--precision fp16", "mps", "--precision fp16 needs an NVIDIA GPU, not mps; pass bf16 or fp32"),
        ("--compile step", "cpu", "--compile step needs an NVIDIA GPU, not cpu; pass --compile nets"),
        ("--precision bf16", "mps", "--precision bf16 needs a CPU or an NVIDIA GPU, not mps; pass --precision fp32"),
    ],
)
def test_what_a_device_cannot_do_is_refused(flags: str, device: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        choose_compute(small_options("cycle_gan", flags).speed, torch.device(device))


def test_without_a_compiler_nothing_can_be_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("CXX", "no-compiler")
    with pytest.raises(UserError, match=r"--compile nets needs the C\+\+ compiler no-compiler; install it, name"):
        choose_compute(small_options("cycle_gan", "--compile nets").speed, CPU)


@pytest.mark.parametrize(("able", "precision"), [(True, "mixed"), (False, "fp32")])
def test_a_cpu_takes_the_fast_layers_unless_the_reference_is_asked_for(
    able: bool, precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks.compute, "has_bf16", lambda device: able)
    by_default = choose_compute(small_options("cycle_gan").speed, CPU)
    assert by_default == Compute(CPU, precision, fast_layers=True)
    unet = choose_compute(small_options("cycle_gan").speed, CPU, unet=True)
    assert unet == Compute(CPU, "bf16" if able else "fp32", fast_layers=True)
    assert choose_compute(small_options("cycle_gan", "--precision fp32").speed, CPU).is_reference
    assert choose_compute(small_options("cycle_gan", "--fast_layers off").speed, CPU).is_reference
    assert not choose_compute(small_options("cycle_gan", "--precision bf16").speed, CPU).is_reference


def test_a_test_in_bfloat16_makes_nearly_the_same_images(run_cli: RunCli, trained: Path, tmp_path: Path) -> None:
    shades = []
    for flags in (["--precision", "fp32"], ["--precision", "bf16"]):
        done = run_cli("test", ["--name", "cg", *flags])
        assert done.code == 0
        assert f"the networks are computed in {flags[1]}" in done.stdout
        path = tmp_path / "results/cg/test_latest/images/a0_fake_B.png"
        shades.append(np.array(Image.open(path)).astype(int))
    assert np.abs(shades[0] - shades[1]).max() <= 4
    assert (shades[0] != shades[1]).any()


def test_moments_that_were_saved_take_the_layout_of_the_weights() -> None:
    _, plain = built("pix2pix", Compute(CPU))
    batch = random_batch(plain.model.opt, 1)
    plain.step(batch, Progress())
    model, stepper = built("pix2pix", FAST)
    stepper.load_state_dict(plain.state_dict())
    for optimizer, old in zip(stepper.optimizers.values(), plain.optimizers.values(), strict=True):
        for parameter, before in zip(optimizer.adam.state, old.adam.state, strict=True):
            moments = optimizer.adam.state[parameter]["exp_avg"]
            assert moments.stride() == parameter.stride()
            assert torch.equal(moments, old.adam.state[before]["exp_avg"])


def test_the_reference_draws_dropout_in_the_order_of_the_first_version() -> None:
    calls: list[str] = []
    model, stepper = built("cycle_gan", Compute(CPU))
    for name in ("G_A", "G_B"):
        model.networks[name].register_forward_hook(lambda net, given, out, name=name: calls.append(name))
    stepper.step(random_batch(model.opt, 1), Progress())
    assert calls == ["G_A", "G_B", "G_A", "G_B", "G_A", "G_B"]  # there, back, identity; and the other way
