"""Training steps in float64, where two ways to compute the same thing agree to many digits."""

from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from models.base import TranslationModel
from tests.small import random_batch, training


class Taken(NamedTuple):
    """What some steps left: everything they reported, and the model with the gradients of the last."""

    model: TranslationModel[Any]
    losses: list[dict[str, float]]  # of each step
    accuracies: list[dict[str, float]]  # of each step, in float32
    images: list[dict[str, Tensor]]  # of each step

    @property
    def gradients(self) -> dict[str, Tensor]:
        return {name: p.grad for name, p in self.model.networks.named_parameters() if p.grad is not None}


def taken(name: str, flags: str, *, count: int = 5, steps: int = 3, size: int = 16) -> Taken:
    model, stepper, progress = training(name, f"--batch_size {count} {flags}")
    model.double()
    found, shares, images = [], [], []
    for step in range(steps):
        batch = random_batch(model.opt, count, seed=step, size=size)
        out, losses, accuracies = stepper.step(batch._replace(A=batch.A.double(), B=batch.target.double()), progress)
        progress.advance(count)
        found.append({key: float(value) for key, value in losses.items()})
        shares.append({key: float(value) for key, value in accuracies.items()})
        images.append({key: image.detach() for key, image in model.visuals(out).items()})
    return Taken(model, found, shares, images)


def assert_same_steps(one: Taken, other: Taken) -> None:
    assert [list(losses) for losses in one.losses] == [list(losses) for losses in other.losses]
    assert one.losses == [pytest.approx(losses, rel=1e-9, abs=1e-9) for losses in other.losses]
    assert one.accuracies == [pytest.approx(shares, abs=1e-6) for shares in other.accuracies]
    assert one.gradients.keys() == other.gradients.keys()
    for name, gradient in other.gradients.items():
        torch.testing.assert_close(one.gradients[name], gradient, rtol=1e-6, atol=1e-10, msg=name)
    for mine, theirs in zip(one.images, other.images, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)
