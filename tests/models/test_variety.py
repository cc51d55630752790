"""How much the outputs of a generator differ from one input to another, told from the held-out samples."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.base import TranslationModel
from models.samples import Samples
from tests.models.test_samples import batches
from tests.small import trained_models, training

TRAINED = trained_models()


class Made(nn.Module):
    """A generator of so many channels whose output is a function of the input's first channel."""

    def __init__(self, channels: int, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.channels, self.function = channels, function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x[:, :1]).expand(-1, self.channels, -1, -1)


def generators(model: TranslationModel[Any]) -> list[str]:
    return [network for network in model.networks if network.startswith("G")]


def varieties(name: str, function: Callable[[Tensor], Tensor], count: int = 8) -> dict[str, float]:
    model, _, _ = training(name)
    for network in generators(model):
        channels = model.opt.net.input_nc if network == "G_B" else model.opt.net.output_nc
        model.networks[network] = Made(channels, function)
    return Samples(model, batches(model, count)).translate().scores


@pytest.mark.parametrize("name", TRAINED)
def test_a_constant_generator_has_no_variety_and_the_identity_has_that_of_the_inputs(name: str) -> None:
    constant = varieties(name, lambda x: torch.full_like(x, 0.3))
    identity, half = varieties(name, lambda x: x), varieties(name, lambda x: x / 2)
    model, _, _ = training(name)
    assert set(constant) == set(identity) == {f"variety_{network}" for network in generators(model)}
    assert all(value < 0.01 for value in constant.values()), constant
    assert all(value > 0.8 for value in identity.values()), identity
    assert all(value < 0.8 * identity[key] for key, value in half.items()), half


def test_what_is_hidden_in_fine_noise_is_no_variety() -> None:
    model, _, _ = training("pix2pix")
    model.networks["G"] = Made(3, lambda x: x)
    noise = batches(model, 4, 128)
    plain = [torch.full_like(noise[0].target, level) for level in (-0.9, -0.3, 0.3, 0.9)]
    samples = Samples(model, [batch._replace(B=B) for batch, B in zip(noise, plain, strict=True)])
    assert samples.translate().scores["variety_G"] < 0.2


def test_one_sample_says_nothing_about_variety() -> None:
    assert varieties("pix2pix", lambda x: x, count=1) == {}
