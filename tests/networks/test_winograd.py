"""Winograd's convolution: its transforms, and which maps go its way."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from networks.fast import winograd
from networks.fast.layers import speed_up


def test_the_filter_is_winograds_identity() -> None:
    """One tile and one filter, by the equation as it stands in the paper."""
    generator = torch.Generator().manual_seed(2)
    tile, taps = (torch.randn(size, size, generator=generator, dtype=torch.float64) for size in (6, 3))
    A, B, G = winograd.rule(3)
    out = A @ ((G @ taps @ G.T) * (B @ tile @ B.T)) @ A.T
    expected = [[(tile[i : i + 3, j : j + 3] * taps).sum() for j in range(4)] for i in range(4)]
    torch.testing.assert_close(out, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.parametrize(
    ("layer", "side", "wide", "short", "ways"),
    [
        (nn.Conv2d(128, 128, 3), 62, None, None, ["forward", "back"]),
        (nn.Conv2d(128, 128, 3, padding=1), 60, None, torch.bfloat16, ["forward", "back"]),
        (nn.Conv2d(128, 128, 3), 58, None, None, []),  # 196 tiles
        (nn.Conv2d(128, 128, 3), 58, None, torch.bfloat16, ["back"]),
        (nn.Conv2d(128, 128, 3), 62, torch.bfloat16, torch.bfloat16, ["back"]),
        (nn.Conv2d(128, 128, 4, padding=1), 24, torch.bfloat16, torch.bfloat16, ["back"]),
        (nn.Conv2d(128, 128, 4, padding=1), 22, torch.bfloat16, torch.bfloat16, []),  # 49 tiles
        (nn.Conv2d(128, 127, 3), 62, None, None, []),
        (nn.Conv2d(128, 128, 3, stride=2), 128, None, None, []),
        (nn.Conv2d(256, 256, 3, groups=2), 62, None, None, []),
    ],
)
def test_large_maps_of_many_channels_go_winograds_way(
    layer: nn.Conv2d,
    side: int,
    wide: torch.dtype | None,
    short: torch.dtype | None,
    ways: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone: list[str] = []

    def notes(way: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def noted(*args: Any) -> Tensor:
            gone.append(way)
            return function(*args)

        return noted

    monkeypatch.setattr(winograd, "convolve", notes("forward", winograd.convolve))
    monkeypatch.setattr(winograd, "weight_gradient", notes("back", winograd.weight_gradient))
    fast = copy.deepcopy(layer)
    speed_up(fast, wide=wide, short=short)
    fast(torch.randn(1, layer.in_channels, side, side)).sum().backward()
    assert gone == ways
