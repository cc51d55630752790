"""The CPU's fast layers are the mathematics of PyTorch's."""

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from networks.adalin import AdaLINGenerator
from networks.fast import layers, winograd
from networks.fast.layers import speed_up
from networks.johnson import JohnsonGenerator
from networks.norm import InstanceNorm
from networks.pad import ReflectionPad
from networks.patchgan import PatchDiscriminator
from networks.resnet import ResnetGenerator
from networks.unet import UnetGenerator

NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "resnet": lambda: ResnetGenerator(3, 3, ngf=8, blocks=2, norm="instance", dropout=False, upsampling="transposed"),
    "resnet batch": lambda: ResnetGenerator(
        3, 3, ngf=8, blocks=2, norm="batch", dropout=False, upsampling="transposed"
    ),
    "resnet none": lambda: ResnetGenerator(3, 3, ngf=8, blocks=2, norm="none", dropout=False, upsampling="transposed"),
    "unet": lambda: UnetGenerator(3, 3, ngf=4, num_downs=5, norm="batch", dropout=False, upsampling="transposed"),
    "resize": lambda: ResnetGenerator(3, 3, ngf=8, blocks=1, norm="instance", dropout=False, upsampling="resize"),
    "adalin": lambda: AdaLINGenerator(3, 3, ngf=8, blocks=1, dropout=False),
    "johnson": lambda: JohnsonGenerator(
        3, 3, ngf=16, blocks=1, norm="instance", dropout=False, upsampling="transposed"
    ),
    "patch": lambda: PatchDiscriminator(3, ndf=8, n_layers=3, norm="instance"),
}
LAYERS: dict[str, Callable[[], nn.Module]] = {
    "3 x 3": lambda: nn.Conv2d(32, 40, 3),
    "3 x 3 without bias": lambda: nn.Conv2d(32, 33, 3, bias=False),
    "3 x 3 with a border": lambda: nn.Conv2d(32, 36, 3, padding=2),
    "4 x 4 with a border": lambda: nn.Conv2d(32, 36, 4, padding=1),
    "4 x 4": lambda: nn.Conv2d(32, 33, 4),
    "3 x 3 of few channels": lambda: nn.Conv2d(32, 3, 3),
    "4 x 3 to few channels": lambda: nn.Conv2d(32, 2, (4, 3)),
    "strided": lambda: nn.Conv2d(32, 8, 4, stride=2, padding=1),
    "grouped": lambda: nn.Conv2d(32, 64, 3, groups=2),
    "transposed": lambda: nn.ConvTranspose2d(32, 8, 3, stride=2, padding=1, output_padding=1),
    "of a small map": lambda: nn.Conv2d(32, 8, 4, stride=(4, 5), padding=1),
    "transposed, of a small map": lambda: nn.ConvTranspose2d(32, 8, (4, 3), stride=(2, 3), padding=1, output_padding=1),
    "norm": lambda: InstanceNorm(32, affine=False),
    "norm and ReLU": lambda: nn.Sequential(InstanceNorm(32, affine=False), nn.ReLU(True)),
    "norm and leaky ReLU": lambda: nn.Sequential(InstanceNorm(32, affine=False), nn.LeakyReLU(0.2, True)),
    "reflection": lambda: ReflectionPad(3),
}


@pytest.fixture(autouse=True)
def any_size_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let maps of these tests go Winograd's way, which is for larger ones."""
    for name, value in (("CHANNELS", 32), ("MANY", 1), ("ENOUGH", 1)):
        monkeypatch.setattr(layers, name, value)


def passed(network: nn.Module, x: Tensor, weight: Tensor) -> list[Tensor]:
    """Return the output and all gradients of a weighted sum of it."""
    x = x.detach().requires_grad_()
    out = network(x)
    (out * weight[: out.numel()].view(out.shape)).sum().backward()
    assert x.grad is not None
    return [out.detach(), x.grad, *(p.grad for p in network.parameters() if p.grad is not None)]


def both(layer: nn.Module, shape: tuple[int, ...], short: torch.dtype | None, dtype: torch.dtype) -> list[list[Tensor]]:
    """Return what the layer and its fast twin make of the same numbers, the layer in float64."""
    generator = torch.Generator().manual_seed(1)
    x, weight = (torch.randn(*size, generator=generator) for size in (shape, (200_000,)))
    fast = copy.deepcopy(layer).to(dtype)
    speed_up(fast, short=short)
    return [passed(layer.double(), x.double(), weight.double()), passed(fast, x.to(dtype), weight.to(dtype))]


def off(given: Tensor, expected: Tensor) -> float:
    """Return the relative error."""
    return float((given.double() - expected).norm() / expected.norm().clamp_min(1e-9))


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("shape", [(1, 32, 18, 18), (2, 32, 11, 13), (3, 32, 5, 4), (1, 32, 5, 5)])
def test_layers_and_their_gradients_equal_pytorchs(kind: str, shape: tuple[int, ...]) -> None:
    for given, expected in zip(*both(LAYERS[kind](), shape, None, torch.float64)[::-1], strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", LAYERS)
def test_float32_layers_lose_no_more_than_rounding(kind: str) -> None:
    expected, given = both(LAYERS[kind](), (2, 32, 16, 20), None, torch.float32)
    assert [off(*pair) for pair in zip(given, expected, strict=True)] == pytest.approx([0] * len(given), abs=3e-6)


@pytest.mark.parametrize("forward_too", [True, False])
@pytest.mark.parametrize("kind", LAYERS)
def test_a_short_backward_pass_leaves_the_forward_pass_alone(
    kind: str, forward_too: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layers, "MANY", 1 if forward_too else 10**9)
    expected, given = both(LAYERS[kind](), (1, 32, 16, 16), torch.bfloat16, torch.float32)
    errors = [off(*pair) for pair in zip(given, expected, strict=True)]
    assert errors[0] < 3e-6
    assert max(errors[1:]) < 0.03


@pytest.mark.parametrize("kind", NETWORKS)
def test_networks_learn_the_same_and_keep_their_files(kind: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[kind]()
    names = list(network.state_dict())
    for given, expected in zip(*both(network, (2, 3, 32, 32), None, torch.float64)[::-1], strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-7, atol=1e-9)
    fast = copy.deepcopy(network)
    speed_up(fast, short=None)
    assert list(fast.state_dict()) == names


@pytest.mark.parametrize("kind", NETWORKS)
def test_gradients_of_a_short_backward_pass_have_the_right_direction(kind: str) -> None:
    torch.manual_seed(0)
    expected, given = both(NETWORKS[kind](), (1, 3, 64, 64), torch.bfloat16, torch.float32)
    one, other = (torch.cat([g.flatten().double() for g in found[2:]]) for found in (expected, given))
    assert F.cosine_similarity(one, other, dim=0) > 0.999


def test_less_than_half_of_a_generators_memory_is_kept() -> None:
    def kept(network: nn.Module) -> int:
        storages: dict[int, int] = {}

        def note(tensor: Tensor) -> Tensor:
            if tensor.data_ptr() not in weights:
                storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        weights = {p.data_ptr() for p in network.parameters()}
        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
            out = network(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
        assert out.requires_grad  # while it lives, so does all that is kept
        return sum(storages.values())

    network = ResnetGenerator(3, 3, ngf=16, blocks=9, norm="instance", dropout=False, upsampling="transposed")
    fast = copy.deepcopy(network)
    speed_up(fast, short=torch.bfloat16)
    assert kept(fast) < 0.5 * kept(network)


@pytest.mark.parametrize("size", [256, 512])
@pytest.mark.parametrize("image", ["noise", "half white", "one black pixel", "far from 0"])
def test_norms_of_large_maps_lose_no_digits(size: int, image: str) -> None:
    x = torch.randn(1, 8, size, size, generator=torch.Generator().manual_seed(0))
    if image == "half white":
        x[:, :, size // 2 :] = 1
    if image == "one black pixel":
        x = torch.ones_like(x)
        x[:, :, 3, 5] = -1
    if image == "far from 0":
        x = 100 + x
    fast = InstanceNorm(8, affine=False)
    speed_up(fast)
    expected, plain = InstanceNorm(8, affine=False)(x.double()), InstanceNorm(8, affine=False)(x)
    allowed = 2e-6 * max(1, float(expected.abs().max())) + 2 * float((plain - expected).abs().max())
    assert (fast(x) - expected).abs().max() < allowed


def _twice_used() -> nn.Module:
    rectifier = nn.ReLU()
    return nn.Sequential(InstanceNorm(32, affine=False), rectifier, nn.Conv2d(32, 32, 3), rectifier)


class _Sized(nn.ConvTranspose2d):
    pass


OTHERS: dict[str, Callable[[], nn.Module]] = {
    "a rectifier in two places": _twice_used,
    "reflecting convolution": lambda: nn.Conv2d(32, 32, 3, padding=1, padding_mode="reflect"),
    "convolution of the same size": lambda: nn.Conv2d(32, 32, 3, padding="same"),
    "norm with weights": lambda: InstanceNorm(32, affine=True),
    "norm with statistics": lambda: InstanceNorm(32, affine=False, track_running_stats=True),
    "written into": lambda: nn.Sequential(nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True), nn.Conv2d(32, 3, 3), nn.Tanh()),
    "a layer of its own kind": lambda: _Sized(32, 8, 3, stride=2),
}


@pytest.mark.parametrize("kind", OTHERS)
def test_layers_that_the_fast_ones_do_not_know_stay_right(kind: str) -> None:
    for given, expected in zip(*both(OTHERS[kind](), (2, 32, 10, 10), None, torch.float64)[::-1], strict=True):
        torch.testing.assert_close(given, expected, rtol=1e-9, atol=1e-9)


def test_a_transposed_convolution_still_takes_an_output_size() -> None:
    layer = nn.ConvTranspose2d(32, 8, 3, stride=2, padding=1)
    speed_up(layer)
    assert layer(torch.randn(1, 32, 9, 9), output_size=[18, 18]).shape == (1, 8, 18, 18)


def test_a_second_derivative_is_refused() -> None:
    for kind in LAYERS.keys() - {"of a small map", "transposed, of a small map"}:  # which have one
        layer = LAYERS[kind]()
        speed_up(layer)
        x = torch.randn(1, 32, 18, 18).requires_grad_()
        with pytest.raises(RuntimeError, match="pass --fast_layers off"):
            torch.autograd.grad(layer(x).sum(), x, create_graph=True)


@pytest.mark.parametrize("kind", ["3 x 3", "3 x 3 without bias", "4 x 4 with a border"])
def test_weights_that_are_held_are_laid_out_once(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = LAYERS[kind](), torch.randn(1, 32, 18, 18)
    with torch.no_grad():
        wanted = layer(x)
        speed_up(layer)
        layers.hold_weights(layer)
        torch.testing.assert_close(layer(x), wanted, rtol=1e-4, atol=1e-4)
        monkeypatch.setattr(winograd, "points_of", None)
        torch.testing.assert_close(layer(x), wanted, rtol=1e-4, atol=1e-4)
