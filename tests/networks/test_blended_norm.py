"""AdaLIN and LIN are what the paper defines: a blend of instance norm and layer norm."""

import pytest
import torch
from torch import Tensor, nn

from networks.blended_norm import LIN, AdaLIN, BlendedNorm, Share


def maps(dtype: torch.dtype = torch.float32) -> Tensor:
    x = torch.randn(2, 5, 7, 6, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return x * torch.arange(1, 6)[:, None, None] + torch.arange(5)[:, None, None]


def by_definition(x: Tensor, rho: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
    """Return equation 1 of the paper, with unbiased variances."""
    of_channel = (x - x.mean((2, 3), keepdim=True)) / (x.var((2, 3), keepdim=True) + 1e-5).sqrt()
    of_layer = (x - x.mean((1, 2, 3), keepdim=True)) / (x.var((1, 2, 3), keepdim=True) + 1e-5).sqrt()
    return gamma * (rho * of_channel + (1 - rho) * of_layer) + beta


def with_rho(norm: BlendedNorm, rho: float) -> BlendedNorm:
    nn.init.constant_(norm.rho, rho)
    return norm


def test_rho_1_is_instance_norm_and_rho_0_layer_norm_but_for_the_unbiased_variance() -> None:
    x = maps(torch.float64)
    of_channel = nn.InstanceNorm2d(5, eps=1e-5 * 41 / 42)(x) * (41 / 42) ** 0.5  # 42 places
    of_layer = nn.functional.layer_norm(x, x.shape[1:], eps=1e-5 * 209 / 210) * (209 / 210) ** 0.5  # 210 numbers
    for rho, wanted in ((1, of_channel), (0, of_layer)):
        torch.testing.assert_close(with_rho(LIN(5).double(), rho)(x), wanted)


def test_each_channel_has_its_own_blend_scale_and_shift() -> None:
    x = maps(torch.float64)
    rho, gamma, beta = (torch.rand(*size, 5, 1, 1, dtype=torch.float64) for size in ((1,), (2,), (2,)))
    norm = AdaLIN(5).double()
    norm.rho.data.copy_(rho)
    torch.testing.assert_close(norm(x, gamma, beta), by_definition(x, rho, gamma, beta))


def test_gradients_are_those_of_the_definition() -> None:
    values = [maps(torch.float64), *(torch.rand(size, 5, 1, 1, dtype=torch.float64) for size in (1, 2, 2))]
    weight, gradients = torch.randn(2, 5, 7, 6, dtype=torch.float64), []
    for dtype in (torch.float32, torch.float64):
        x, rho, gamma, beta = (value.to(dtype).clone().requires_grad_() for value in values)
        norm = AdaLIN(5).to(dtype)
        norm.rho = nn.Parameter(rho.detach())
        y = norm(x, gamma, beta) if dtype == torch.float32 else by_definition(x, rho, gamma, beta)
        (y * weight).sum().backward()
        gradients.append([x.grad, norm.rho.grad if dtype == torch.float32 else rho.grad, gamma.grad, beta.grad])
    for mine, wanted in zip(*gradients, strict=True):
        torch.testing.assert_close(mine.double(), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_short_numbers_are_normalised_in_long_ones(dtype: torch.dtype) -> None:
    x = maps().to(dtype) + 100
    y = LIN(5)(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y, LIN(5)(x.float()).to(dtype))


def test_adalin_begins_near_instance_norm_and_lin_at_layer_norm() -> None:
    lin = LIN(3)
    for values, wanted in ((AdaLIN(3).rho, 0.9), (lin.rho, 0), (lin.gamma, 1), (lin.beta, 0)):
        assert values.flatten().tolist() == pytest.approx([wanted] * 3)


@pytest.mark.parametrize("wanted", [-1.0, 2.0])
def test_rho_stays_between_0_and_1_and_comes_back_at_once(wanted: float) -> None:
    norm = AdaLIN(1)
    adam = torch.optim.Adam([norm.rho], lr=0.01)

    def step(target: float) -> float:
        adam.zero_grad()
        loss = (norm.share() - target).square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        return float(norm.share().detach())

    for _ in range(300):
        seen = step(wanted)
        assert 0 <= seen <= 1
    assert seen == min(1, max(0, wanted))
    assert abs(float(norm.rho.detach()) - seen) < 0.2  # Adam's momentum alone led it beyond
    for _ in range(30):
        back = step(0.5)
    assert 0.01 < abs(back - seen) < 0.5


def test_an_average_of_weights_needs_no_clipping() -> None:
    lin = with_rho(LIN(2), -0.3)
    assert torch.equal(lin(maps()[:, :2]), with_rho(LIN(2), 0.0)(maps()[:, :2]))


def test_at_the_ends_only_the_way_back_has_a_gradient() -> None:
    stored = torch.tensor([0.0, 0.0, 1.0, 1.0, 0.5, -0.1, 1.1], requires_grad=True)
    read: Tensor = Share.apply(stored)
    read.backward(torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0, -1.0, 1.0]))  # type: ignore[no-untyped-call]
    assert stored.grad is not None
    assert stored.grad.tolist() == [0, -1, 1, 0, 1, -1, 1]
