"""Floating point operations, counted and by hand, and the speed that they are compared with."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from benchmarks import machine
from benchmarks.ours import operations, operations_of_step, operations_of_translation
from tests.small import train_steps, training

CPU = torch.device("cpu")
NETS = ["--dataroot", "unused", "--ngf", "4", "--ndf", "4"]


def test_a_small_convolution_by_hand() -> None:
    layer, x = nn.Conv2d(3, 8, 3, padding=1, bias=False), torch.rand(2, 3, 10, 12, requires_grad=True)
    once = 2 * 3 * 3 * 3 * 8 * 10 * 12 * 2  # multiply and add, kernel, channels in and out, pixels, images
    assert operations(lambda: layer(x)) == once
    assert operations(lambda: layer(x).sum().backward()) == 3 * once  # the gradients of images and weights


@pytest.mark.parametrize("model", ["cycle_gan", "pix2pix"])
def test_a_step_counts_what_it_counts_when_it_is_computed(model: str) -> None:
    nets = ["--netG", "resnet_1blocks", "--netD", "n_layers", "--n_layers_D", "1"]
    flags = ["--model", model, *NETS, *nets]
    built, stepper, progress = training(model)
    computed = operations(lambda: train_steps(built, stepper, progress, 1, count=2))
    assert operations_of_step(flags, 16, 2) == computed > 0
    assert operations_of_step([*flags, "--precision", "bf16"], 16, 2) == computed


def test_a_translation_counts_the_generator_once() -> None:
    flags = ["--model", "test", "--netG", "resnet_1blocks", "--no_dropout", *NETS]
    counted = operations_of_translation(flags, 32, 1)
    pixels = 32 * 32
    ends = 2 * 49 * 3 * 4 * pixels * 2  # 7 x 7 from 3 to 4 channels, and back
    strided = 2 * (9 * 4 * 8 * pixels / 4 + 9 * 8 * 16 * pixels / 16) * 2  # down, and up again
    block = 2 * 9 * 16 * 16 * pixels / 16 * 2
    assert counted == ends + strided + block
    assert operations_of_translation(flags, 32, 3) == 3 * counted


def test_mixed_goes_forward_in_one_precision_and_back_in_another() -> None:
    speeds = {"fp32": 1.0, "bf16": 4.0}  # a second for a third of the operations, half a second for two
    assert machine.with_mixed(speeds, training=True)["mixed"] == pytest.approx(3 / 1.5)
    assert machine.with_mixed(speeds, training=False)["mixed"] == 1.0
    assert machine.with_mixed({"fp32": 1.0, "fp16": 2.0}, training=True) == {"fp32": 1.0, "fp16": 2.0}


def test_every_precision_of_the_device_has_a_speed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "CHANNELS", 4)
    monkeypatch.setattr(machine, "PIXELS", 4)
    monkeypatch.setattr(machine, "TIMINGS", 1)
    monkeypatch.setattr("benchmarks.clock.SHORTEST", 0)
    monkeypatch.setattr(machine, "default_device", lambda: CPU)
    machine.main(["--json", str(tmp_path / "machine.json")])
    document = json.loads((tmp_path / "machine.json").read_text())
    expected = [(training, name) for training in (True, False) for name in machine.precisions(CPU)]
    assert [(row["training"], row["precision"]) for row in document["rows"]] == expected
    assert all(row["flops_per_second"] > 0 for row in document["rows"])
    assert document["machine"]["pytorch"] == torch.__version__
