"""The GPU's fused instance norm is the mathematics of PyTorch's, as far as the CPU can tell."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from networks.fast.fused import FusedInstanceNorm, FusedResnetBlock, fuse
from networks.resnet import ResnetGenerator, recompute_blocks

PROJECT = Path(__file__).parents[2]
ALLOWED = {"float64": 1e-12, "float32": 2e-6, "bfloat16": 0.01}
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="PyTorch comes without it here")


@pytest.fixture(scope="module")
def errors() -> dict[str, list[float]]:
    """Relative errors of output and gradients by case."""
    command = [sys.executable, "-m", "tests.networks.fused_norm"]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
@needs_triton
@pytest.mark.parametrize("dtype", ALLOWED)
@pytest.mark.parametrize("order", ["contiguous", "channels_last"])
def test_outputs_and_gradients_are_those_of_float64(errors: dict[str, list[float]], order: str, dtype: str) -> None:
    found = {name: max(each) for name, each in errors.items() if f"{order}, {dtype}" in name}
    assert len(found) == 4 * 2 * 2  # shapes, slopes, chunks
    assert {name: error for name, error in found.items() if not error < ALLOWED[dtype]} == {}


@pytest.mark.slow
@needs_triton
@pytest.mark.parametrize("network", ["resnet", "resnet dropout", "patch"])
def test_networks_learn_the_same(errors: dict[str, list[float]], network: str) -> None:
    found = {name: max(each) for name, each in errors.items() if name.startswith(f"{network}, ")}
    assert len(found) == (1 if "dropout" in network else 2)
    assert max(found.values()) < 1e-9


def test_rectifiers_and_sums_go_into_the_norms_and_files_stay() -> None:
    network = ResnetGenerator(3, 3, ngf=4, blocks=2, norm="instance", dropout=False, upsampling="transposed")
    names = list(network.state_dict())
    fuse(network)
    norms = [layer for layer in network.modules() if isinstance(layer, FusedInstanceNorm)]
    assert [norm.slope for norm in norms] == [0, 0, 0, 0, 1, 0, 1, 0, 0]
    assert not any(isinstance(layer, nn.ReLU) for layer in network.modules())
    assert sum(isinstance(layer, FusedResnetBlock) for layer in network.modules()) == 2
    assert list(network.state_dict()) == names


@pytest.mark.parametrize("norm", ["batch", "none"])
def test_networks_with_other_norms_stay_as_they_are(norm: str) -> None:
    torch.manual_seed(0)
    network, x = (
        ResnetGenerator(3, 3, ngf=4, blocks=2, norm=norm, dropout=False, upsampling="transposed"),
        torch.randn(2, 3, 16, 16),
    )
    before = network(x)
    fuse(network)
    assert torch.equal(network(x), before)


def test_recomputed_blocks_stay_recomputed(monkeypatch: pytest.MonkeyPatch) -> None:
    network = ResnetGenerator(3, 3, ngf=4, blocks=1, norm="instance", dropout=False, upsampling="transposed")
    fuse(network)
    recompute_blocks(network)
    given: list[Tensor | None] = []

    def forward(self: FusedInstanceNorm, x: Tensor, residual: Tensor | None = None) -> Tensor:
        given.append(residual)
        return x * 1.0

    monkeypatch.setattr(FusedInstanceNorm, "forward", forward)
    network(torch.randn(1, 3, 16, 16)).sum().backward()
    assert len(given) > 7  # of which two a second time
    assert given == [None] * len(given)
