"""Reflection padding made of cuts and mirrors is PyTorch's, in value and gradient."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from networks.pad import ReflectionPad
from networks.resnet import ResnetGenerator

CASES = [  # padding (left, right, top, bottom), size of the image
    (1, (2, 2)),
    (3, (4, 9)),
    (3, (32, 17)),
    ((0, 0, 0, 0), (3, 5)),
    ((2, 0, 0, 1), (3, 5)),
    ((0, 4, 2, 0), (3, 5)),
    ((1, 2, 3, 4), (5, 6)),
    ((5, 5, 4, 4), (5, 6)),  # all but the edge itself
]


@pytest.fixture
def deterministic() -> Iterator[None]:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(before)


def with_gradient(layer: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the output, and the gradient of the input for weights of the output that are all different."""
    x = x.clone().requires_grad_()
    y = layer(x)
    (y * torch.linspace(-1, 1, y.numel(), dtype=y.dtype).reshape(y.shape).sin()).sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize(("padding", "size"), CASES)
def test_value_and_gradient_are_those_of_pytorch(padding: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size, dtype=torch.float64)
    value, gradient = with_gradient(ReflectionPad(padding), x)
    torch.use_deterministic_algorithms(False)
    expected, expected_gradient = with_gradient(nn.ReflectionPad2d(padding), x)
    assert torch.equal(value, expected)
    assert torch.allclose(gradient, expected_gradient, rtol=0, atol=1e-12)
    for own, pytorchs in zip(with_gradient(ReflectionPad(padding), x), (expected, expected_gradient), strict=True):
        assert torch.equal(own, pytorchs)  # it is PyTorch's where nothing else is asked for


@pytest.mark.usefixtures("deterministic")
def test_the_gradient_of_the_gradient_is_right() -> None:
    """A gradient penalty differentiates twice."""
    x = torch.randn(1, 1, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda image: ReflectionPad(2)(image) ** 3, x)


@pytest.mark.usefixtures("deterministic")
def test_pytorchs_own_is_not_used_where_the_same_bits_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU its gradient raises an error then."""
    monkeypatch.setattr(nn.ReflectionPad2d, "forward", lambda self, x: pytest.fail("PyTorch's padding was used"))
    ReflectionPad(1)(torch.zeros(1, 1, 2, 2))


@pytest.mark.usefixtures("deterministic")
@pytest.mark.parametrize("size", [(3, 8), (8, 3)])
def test_an_image_too_small_to_mirror_is_an_error(size: tuple[int, int]) -> None:
    with pytest.raises(RuntimeError):
        ReflectionPad(3)(torch.zeros(1, 1, *size))


def test_it_has_no_weights_so_that_checkpoints_keep_their_names() -> None:
    assert list(ReflectionPad(1).state_dict()) == []
    assert isinstance(ReflectionPad(1), nn.ReflectionPad2d)
    net = ResnetGenerator(3, 3, ngf=4, norm="instance", dropout=False, blocks=1, upsampling="transposed")
    assert not [module for module in net.modules() if type(module) is nn.ReflectionPad2d]
