"""What the flags mean on a device: what it lacks is refused, what it does badly is said."""

import importlib.util

import pytest
import torch

from networks.compute import Compute, choose_compute
from networks.fast.fused import FusedInstanceNorm
from networks.norm import InstanceNorm
from options.errors import UserError
from tests.small import small_options


@pytest.mark.parametrize(
    ("device", "machine", "able", "said"),
    [
        ("cpu", "x86_64", False, True),
        ("cpu", "x86_64", True, False),
        ("cpu", "arm64", False, False),  # not known
        ("cuda", "", False, True),
        ("cuda", "", True, False),
    ],
)
def test_that_bfloat16_is_only_emulated_is_said(
    device: str, machine: str, able: bool, said: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: able)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0) if able else (7, 5))
    choose_compute(small_options("cycle_gan", "--precision bf16").speed, torch.device(device))
    assert ("has no instructions for --precision bf16" in caplog.text) is said


def on_a_gpu(flags: str, monkeypatch: pytest.MonkeyPatch) -> Compute:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    return choose_compute(small_options("cycle_gan", flags).speed, torch.device("cuda"))


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_16_bits_come_with_the_other_layout_on_a_gpu(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compute = on_a_gpu(f"--precision {precision}", monkeypatch)
    assert compute == Compute(torch.device("cuda"), precision, channels_last=True)


def test_a_gpu_takes_its_fused_norms_if_they_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    compute = on_a_gpu("--fast_layers on --precision bf16", monkeypatch)
    assert compute == Compute(torch.device("cuda"), "bf16", channels_last=True, fast_layers=True)
    assert isinstance(compute.forward(), torch.autocast), "these layers leave precision to autocast"
    assert not on_a_gpu("", monkeypatch).fast_layers
    norm = InstanceNorm(4)
    networks = torch.nn.ModuleDict({"G": torch.nn.Sequential(norm, torch.nn.ReLU())})
    Compute(torch.device("meta"), fast_layers=True).place(networks)
    assert isinstance(norm, FusedInstanceNorm)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ("--compile nets", "--compile nets needs the package triton on a GPU; pip install triton"),
        ("--fast_layers on", "--fast_layers on needs the package triton on a GPU; pip install triton"),
        ("--fast_layers on --compile nets", "--fast_layers on is for CPUs and NVIDIA GPUs .*with --compile off"),
        ("--precision mixed", "--precision mixed is for the CPU"),
    ],
)
def test_what_a_gpu_without_triton_cannot_have_is_refused(
    flags: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match=words):
        on_a_gpu(flags, monkeypatch)
