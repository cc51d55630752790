"""What the flags mean on a device: what it lacks is refused, what it does badly is said."""

import importlib.util

import pytest
import torch

from networks.compute import Compute, choose_compute
from options.errors import UserError
from tests.small import small_options


def test_without_triton_nothing_can_be_compiled_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="--compile nets needs the package triton on a GPU; pip install triton"):
        choose_compute(small_options("cycle_gan", "--compile nets").speed, torch.device("cuda"))


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


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_16_bits_come_with_the_other_layout_on_a_gpu(precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0))
    speed = small_options("cycle_gan", f"--precision {precision}").speed
    device = torch.device("cuda")
    assert choose_compute(speed, device) == Compute(device, precision, channels_last=True)
