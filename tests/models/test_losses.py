"""Adversarial losses against numbers worked out by hand, the penalty against analysis, and who notices a bad loss."""

import math

import pytest
import torch
from torch import Tensor, nn

from models.losses import accuracies, gan_loss, gradient_penalty

LOGITS = torch.tensor([[[[2.0, -1.0], [0.0, 0.5]]]])


def softplus(x: float) -> float:
    return math.log(1 + math.exp(x))


@pytest.mark.parametrize(
    ("mode", "real", "expected"),
    [
        ("lsgan", True, (1.0 + 4.0 + 1.0 + 0.25) / 4),
        ("lsgan", False, (4.0 + 1.0 + 0.0 + 0.25) / 4),
        ("vanilla", True, (softplus(-2) + softplus(1) + softplus(0) + softplus(-0.5)) / 4),
        ("vanilla", False, (softplus(2) + softplus(-1) + softplus(0) + softplus(0.5)) / 4),
        ("wgangp", True, -1.5 / 4),
        ("wgangp", False, 1.5 / 4),
    ],
)
def test_the_loss_is_the_number_worked_out_by_hand(mode: str, real: bool, expected: float) -> None:
    loss = gan_loss(mode, LOGITS, real=real)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_is_finite_for_extreme_logits() -> None:
    assert gan_loss("vanilla", torch.tensor([1e4, -1e4]), real=True).item() == pytest.approx(5e3)


@pytest.mark.parametrize(
    ("mode", "real", "fake", "expected"),
    [
        ("lsgan", [0.9, 0.6, 0.4, -3.0], [0.4, -1.0, 0.1, 2.0], (2 / 4, 3 / 4)),
        ("lsgan", [0.5, 0.5], [0.5, 0.5], (0.0, 1.0)),  # on the boundary: not real
        ("lsgan", [0.5001, 0.4999, 7.0], [0.5001, 0.4999, 7.0], (2 / 3, 1 / 3)),
        ("vanilla", [0.9, 0.1, -0.1, -3.0], [-0.4, -1.0, 0.1, 2.0], (2 / 4, 2 / 4)),
        ("vanilla", [0.0], [0.0], (0.0, 1.0)),
        ("vanilla", [0.2, 0.2], [0.2, -0.2], (1.0, 1 / 2)),  # what lsgan would call fake
    ],
)
def test_accuracies_are_the_shares_of_verdicts_counted_by_hand(
    mode: str, real: list[float], fake: list[float], expected: tuple[float, float]
) -> None:
    found = accuracies(mode, "D_A", real=torch.tensor(real), fake=torch.tensor(fake))
    assert list(found) == ["D_A_real", "D_A_fake"]
    assert [value.shape for value in found.values()] == [(), ()]
    assert tuple(value.item() for value in found.values()) == pytest.approx(expected)


def test_accuracies_count_every_patch_of_every_image_and_hold_no_graph() -> None:
    real = torch.tensor([[[[1.0, 0.0]]], [[[1.0, 1.0]]]], requires_grad=True)
    found = accuracies("lsgan", "D", real=real, fake=torch.zeros(1, 1, 5, 5, requires_grad=True))
    assert (found["D_real"].item(), found["D_fake"].item()) == (3 / 4, 1.0)
    assert not any(value.requires_grad for value in found.values())


def test_a_critic_has_no_accuracies() -> None:
    assert accuracies("wgangp", "D", real=LOGITS, fake=LOGITS) == {}


def test_a_verdict_that_is_no_number_is_never_right() -> None:
    nothing = torch.full((3,), math.nan)
    found = accuracies("lsgan", "D", real=nothing, fake=nothing)
    assert [value.item() for value in found.values()] == [0.0, 0.0]


@pytest.mark.parametrize("norm", [0.0, 0.5, 1.0, 3.0])
def test_the_penalty_of_a_linear_critic_is_ten_times_its_squared_excess_slope(norm: float) -> None:
    w = torch.randn(3, 4, 4, generator=torch.Generator().manual_seed(0))
    w = w / w.norm() * norm
    real, fake = torch.randn(2, 5, 3, 4, 4).unbind()
    penalty = gradient_penalty(lambda x: (x * w).sum(dim=(1, 2, 3)), real, fake)
    assert penalty.shape == ()
    assert penalty.item() == pytest.approx(10 * (norm - 1) ** 2, abs=1e-4)


def test_the_penalty_averages_over_images_not_over_patches() -> None:
    slopes = torch.tensor([1.0, 2.0, 4.0]).view(3, 1, 1, 1)
    real, fake = torch.zeros(3, 1, 1, 1), torch.ones(3, 1, 1, 1)
    judge = lambda x: torch.cat([slopes * x] * 2, dim=3) / 2  # noqa: E731  # two patches an image
    assert gradient_penalty(judge, real, fake, weight=1.0).item() == pytest.approx((0 + 1 + 9) / 3)


def test_the_penalty_looks_between_real_and_fake() -> None:
    seen: list[Tensor] = []

    def judge(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x.sum(dim=(1, 2, 3))

    real, fake = torch.full((64, 1, 2, 2), 3.0), torch.full((64, 1, 2, 2), 5.0)
    gradient_penalty(judge, real, fake)
    (mixed,) = seen
    assert mixed.shape == real.shape
    assert ((mixed >= 3) & (mixed <= 5)).all()
    per_image = mixed.flatten(1)
    assert torch.allclose(per_image, per_image[:, :1].expand_as(per_image)), "one share an image"
    assert per_image[:, 0].min() < 3.5
    assert per_image[:, 0].max() > 4.5


def test_the_penalty_is_differentiated_twice_as_finite_differences_say() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Tanh(), nn.Conv2d(3, 1, 2)).double()
    real, fake = torch.randn(2, 2, 2, 5, 5, dtype=torch.float64).unbind()

    def penalty() -> Tensor:
        torch.manual_seed(7)  # the same share every time
        return gradient_penalty(critic, real, fake)

    penalty().backward()  # type: ignore[no-untyped-call]
    step = 1e-6
    for parameter in critic.parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        flat = parameter.data.view(-1)
        for index in range(0, len(flat), max(1, len(flat) // 6)):
            value = flat[index].item()
            flat[index] = value + step
            above = penalty().item()
            flat[index] = value - step
            below = penalty().item()
            flat[index] = value
            assert gradient.view(-1)[index].item() == pytest.approx((above - below) / (2 * step), rel=1e-5, abs=1e-7)


def test_a_critic_without_slope_gives_a_finite_gradient() -> None:
    w = torch.zeros(4, requires_grad=True)
    gradient_penalty(lambda x: x.flatten(1) @ w, torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)).backward()  # type: ignore[no-untyped-call]
    assert w.grad is not None
    assert torch.isfinite(w.grad).all()


def test_real_and_fake_of_different_size_are_refused() -> None:
    with pytest.raises(ValueError, match="wgangp.*differ in size.*--preprocess resize_and_crop"):
        gradient_penalty(lambda x: x, torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 8, 12))
