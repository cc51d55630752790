"""The contrastive loss, against the formula of the paper written as loops in float64."""

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from models.contrastive import contrast, patch_nce
from networks.patch_sampler import unit_length


def vectors(seed: int, *shape: int) -> Tensor:
    return F.normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64), dim=-1)


def equation_3(queries: Tensor, keys: Tensor, temperature: float) -> float:
    """The loss of one image, S x C both: for each query, of its own key beside those of all other places."""
    losses = []
    for place, query in enumerate(queries):
        positive = math.exp(float(query @ keys[place]) / temperature)
        negatives = [math.exp(float(query @ key) / temperature) for other, key in enumerate(keys) if other != place]
        losses.append(-math.log(positive / (positive + sum(negatives))))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("temperature", [0.07, 0.3, 2.0])
def test_it_is_the_equation_averaged_over_images(temperature: float) -> None:
    queries, keys = vectors(1, 3, 11, 5), vectors(2, 3, 11, 5)
    expected = sum(equation_3(q, k, temperature) for q, k in zip(queries, keys, strict=True)) / 3
    assert float(patch_nce(queries, keys, temperature=temperature)) == pytest.approx(expected, rel=1e-12)
    short = patch_nce(queries.float(), keys.float(), temperature=temperature)
    assert float(short) == pytest.approx(expected, rel=1e-5)


def test_across_the_batch_the_patches_of_all_images_are_wrong_answers() -> None:
    queries, keys = vectors(1, 3, 11, 5), vectors(2, 3, 11, 5)
    expected = equation_3(queries.flatten(0, 1), keys.flatten(0, 1), 0.07)
    assert float(patch_nce(queries, keys, temperature=0.07, across_batch=True)) == pytest.approx(expected, rel=1e-12)


def test_no_gradient_reaches_the_keys() -> None:
    queries, keys = vectors(1, 2, 6, 4).requires_grad_(), vectors(2, 2, 6, 4).requires_grad_()
    patch_nce(queries, keys, temperature=0.07).backward()  # type: ignore[no-untyped-call]
    assert queries.grad is not None
    assert queries.grad.abs().max() > 0
    assert keys.grad is None


def test_autocast_leaves_it_in_full_precision() -> None:
    queries, keys = vectors(1, 2, 6, 4).float(), vectors(2, 2, 6, 4).float()
    plain = patch_nce(queries, keys, temperature=0.07)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(patch_nce(queries, keys, temperature=0.07), plain)


class Pixels:
    """In place of an encoder: the pixels, and every second of them."""

    def maps(self, images: Tensor) -> Iterator[Tensor]:
        yield images
        yield images[:, :, ::2, ::2] * 3


def compared(real: Tensor, made: Tensor, *, patches: int = 999, mirrored: Tensor | None = None) -> float:
    stand_in: Any = Pixels()
    loss = partial(patch_nce, temperature=0.2)
    torch.manual_seed(0)
    found = contrast(
        real,
        made,
        mirrored=mirrored,
        encoder=stand_in,
        vectors=lambda read, number: unit_length(read),
        patches=patches,
        loss=loss,
    )
    return float(found)


def points(images: Tensor) -> Tensor:
    return F.normalize(images.flatten(2).transpose(1, 2), dim=-1)


def test_all_maps_count_the_same() -> None:
    real, made = vectors(1, 2, 6, 6, 6), vectors(2, 2, 6, 6, 6)
    full, half = (
        sum(equation_3(q, k, 0.2) for q, k in zip(points(a), points(b), strict=True)) / 2
        for a, b in ((made, real), (made[:, :, ::2, ::2], real[:, :, ::2, ::2]))
    )
    assert compared(real, made) == pytest.approx((full + half) / 2, rel=1e-6)


def test_both_sides_are_read_at_the_same_places_also_in_a_mirror_image() -> None:
    real, made = vectors(1, 2, 6, 7, 7), vectors(2, 2, 6, 7, 7)
    for patches in (999, 5):
        expected = compared(real, made, patches=patches)
        turned = torch.stack([made[0], made[1].flip(2)])
        mirrored = torch.tensor([False, True])[:, None, None, None]
        assert compared(real, turned, patches=patches, mirrored=mirrored) == pytest.approx(expected)
        assert compared(real, turned, patches=patches) != pytest.approx(expected)
    assert compared(real, real, patches=5) < compared(real, made, patches=5)
