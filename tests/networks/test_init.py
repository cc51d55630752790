"""Initial weights: the statistics each kind promises."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from networks.init import init_weights

KINDS = ["normal", "xavier", "kaiming", "orthogonal"]
LAYERS = [
    (lambda: nn.Conv2d(32, 64, 3), 32 * 9, 64 * 9),
    (lambda: nn.ConvTranspose2d(64, 32, 3), 32 * 9, 64 * 9),  # its weight is (in, out, 3, 3): fans trade places
    (lambda: nn.Linear(128, 256), 128, 256),
]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("layer", LAYERS, ids=["conv", "transposed", "linear"])
@pytest.mark.parametrize("kind", ["normal", "xavier", "kaiming"])
@pytest.mark.parametrize("gain", [0.02, 0.5])
def test_weights_have_the_standard_deviation_of_their_kind(
    kind: str, layer: tuple[Callable[[], Any], int, int], gain: float
) -> None:
    make, fan_in, fan_out = layer
    net = make()
    init_weights(net, kind, gain)
    expected = {"normal": gain, "xavier": gain * math.sqrt(2 / (fan_in + fan_out)), "kaiming": math.sqrt(2 / fan_in)}
    std, count = net.weight.std().item(), net.weight.numel()
    assert std == pytest.approx(expected[kind], rel=4 / math.sqrt(2 * count))  # four standard errors
    assert abs(net.weight.mean().item()) < 4 * std / math.sqrt(count)


@pytest.mark.parametrize("gain", [0.02, 1.5])
@pytest.mark.parametrize(("c_in", "c_out"), [(8, 4), (2, 40)])
def test_orthogonal_weights_are_orthogonal(c_in: int, c_out: int, gain: float) -> None:
    conv = nn.Conv2d(c_in, c_out, 3)
    init_weights(conv, "orthogonal", gain)
    W = conv.weight.detach().flatten(1)
    product = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
    assert torch.allclose(product, gain**2 * torch.eye(len(product)), atol=1e-5 * max(1, gain**2))


@pytest.mark.parametrize("kind", KINDS)
def test_biases_start_at_zero_and_batch_norms_around_one(kind: str) -> None:
    net: Any = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(4096), nn.SyncBatchNorm(4096), nn.Linear(4, 4))
    for parameter in net.parameters():
        nn.init.constant_(parameter, 9)
    init_weights(net, kind, 0.02)
    for layer in net:
        assert layer.bias.abs().max() == 0
    for norm in (net[1], net[2]):
        assert norm.weight.mean().item() == pytest.approx(1, abs=4 * 0.02 / 64)
        assert norm.weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert (norm.running_mean.abs().max(), norm.running_var.min()) == (0, 1)


def test_layers_without_bias_or_affine_norm_are_fine_and_gradients_are_still_wanted() -> None:
    net = nn.Conv2d(3, 4, 3, bias=False)
    init_weights(nn.Sequential(net, nn.InstanceNorm2d(4)), "normal", 0.02)
    assert net.weight.requires_grad
    assert net.weight.is_leaf
