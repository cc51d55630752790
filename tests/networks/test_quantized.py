"""Convolutions in integers against those in float32."""

import pytest
import torch
from torch import nn

from networks.fast.layers import speed_up
from networks.fast.quantized import QuantizedConv2d, quantize

SHAPES = [(128, 128, 3, 1, 0, True), (128, 160, 3, 2, 1, False), (160, 128, 4, 2, 1, True)]


@pytest.fixture(autouse=True)
def _without_gradients() -> object:
    if not hasattr(torch.ops.onednn, "qconv2d_pointwise"):
        pytest.skip("this PyTorch has no such convolutions")
    with torch.inference_mode():
        yield


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("short", [torch.bfloat16, None])
def test_they_are_as_near_as_eight_bits_allow(
    shape: tuple[int, int, int, int, int, bool], short: torch.dtype | None
) -> None:
    channels, made, taps, stride, padding, bias = shape
    torch.manual_seed(0)
    layer = nn.Conv2d(channels, made, taps, stride, padding, bias=bias)
    x = torch.randn(2, channels, 21, 18) + 0.3
    wanted = layer(x)
    network = nn.Sequential(layer)
    speed_up(network, wide=short, short=short)
    assert quantize(network) == 1
    found = network(x)
    assert found.shape == wanted.shape
    assert found.dtype == (short or torch.float32)
    error = (found.float() - wanted).std() / wanted.std()
    assert 1e-4 < error < 0.03


@pytest.mark.parametrize("value", [0.0, 2.5, -2.5])
def test_images_of_one_value_are_exact_to_their_level(value: float) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(128, 128, 3, padding=1)
    x = torch.full((1, 128, 9, 9), value)
    wanted = layer(x)
    network = nn.Sequential(layer)
    speed_up(network)
    quantize(network)
    torch.testing.assert_close(network(x), wanted, atol=0.02, rtol=0.02)


def test_narrow_grouped_and_plain_layers_stay_as_they_are() -> None:
    network = nn.Sequential(nn.Conv2d(64, 128, 3), nn.Conv2d(128, 128, 3, groups=2), nn.Conv2d(128, 128, 1))
    assert quantize(network) == 0
    speed_up(network)
    assert quantize(network) == 0
    assert not any(isinstance(layer, QuantizedConv2d) for layer in network)
