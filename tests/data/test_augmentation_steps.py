"""What each augmentation is: measured on images that hold their own coordinates, and on plain ones."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.data.conftest import once

HEIGHT, WIDTH = 24, 34
SEEDS = range(12)


def random_image(side: int = 32) -> Tensor:
    return torch.from_numpy(np.random.default_rng(1).uniform(-1, 1, (3, side, side)).astype(np.float32))


def coordinates() -> Tensor:
    """Return x and y of each pixel from the centre of the image, in units of 50 pixels so that all are in [-1, 1]."""
    x, y = torch.arange(WIDTH) - (WIDTH - 1) / 2, torch.arange(HEIGHT) - (HEIGHT - 1) / 2
    return torch.stack([x.expand(HEIGHT, WIDTH), y[:, None].expand(HEIGHT, WIDTH)]) / 50


def places(text: str) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Yield, for some draws, x and y of the pixels near the centre that are read inside the image, and of where."""
    before = coordinates() * 50
    for seed in SEEDS:
        after = once(coordinates(), text, seed) * 50
        near = (before[0].abs() < WIDTH / 4) & (before[1].abs() < HEIGHT / 4)
        near &= (after[0].abs() < WIDTH / 2 - 3) & (after[1].abs() < HEIGHT / 2 - 3)
        assert near.sum() > 20
        yield before[0][near], before[1][near], after[0][near], after[1][near]


def test_flips_and_turns_only_permute_pixels() -> None:
    image = random_image()
    turned = {tuple(once(image, "quarter_turns", seed).flatten().tolist()) for seed in range(40)}
    assert turned == {tuple(image.rot90(k, (1, 2)).flatten().tolist()) for k in range(4)}
    assert torch.equal(once(image, "vertical_flip=1"), image.flip(1))
    oblong = image[:, :20]
    assert torch.equal(once(oblong, "quarter_turns=1"), oblong.rot90(2, (1, 2)))


def test_rotation_turns_all_by_one_angle() -> None:
    angles = []
    for x, y, new_x, new_y in places("rotation=30"):
        turned = torch.complex(new_x, new_y) / torch.complex(x, y)
        assert torch.allclose(turned, turned[0].expand_as(turned), atol=1e-3)
        assert abs(turned[0]) == pytest.approx(1, abs=1e-3)
        angles.append(math.degrees(turned[0].angle()))
    assert -30.1 < min(angles) < -15
    assert 15 < max(angles) < 30.1


def test_translation_shifts_all_by_shares_of_the_sides() -> None:
    shifts = []
    for x, y, new_x, new_y in places("translation=0.2"):
        assert float((new_x - x).std() + (new_y - y).std()) < 1e-3
        shifts.append((float((new_x - x)[0]) / WIDTH, float((new_y - y)[0]) / HEIGHT))
    assert (np.abs(shifts).max(0) <= 0.201).all()
    assert (np.max(shifts, 0) > 0.1).all()
    assert (np.min(shifts, 0) < -0.1).all()


def test_zoom_enlarges_and_shrinks() -> None:
    factors = []
    for x, y, new_x, new_y in places("zoom=0.5"):
        factors.append(float(new_x[0] / x[0]))
        assert torch.allclose(torch.stack([new_x, new_y]), factors[-1] * torch.stack([x, y]), atol=1e-3)
    assert 1 / 1.501 <= min(factors) < 0.85
    assert 1.15 < max(factors) <= 1.501


def test_shear_shifts_rows_against_each_other() -> None:
    slopes = []
    for x, y, new_x, new_y in places("shear=20"):
        slopes.append(float(((new_x - x) / y)[0]))
        assert torch.allclose(new_y, y, atol=1e-3)
        assert torch.allclose(new_x - x, slopes[-1] * y, atol=1e-3)
    assert 0.15 < np.abs(slopes).max() <= math.tan(math.radians(20)) + 1e-3


def test_perspective_divides_by_the_distance_from_a_tilted_plane() -> None:
    tilts = []
    for x, y, new_x, new_y in places("perspective=0.4"):
        assert torch.allclose(new_x * y, new_y * x, atol=1e-2)  # towards the centre or away from it
        plane = torch.stack([x, y, torch.ones_like(x)], 1)
        nearness = torch.where(x.abs() > y.abs(), x / new_x, y / new_y)[:, None]
        tilt = torch.linalg.lstsq(plane, nearness).solution
        assert torch.allclose(plane @ tilt, nearness, atol=5e-3)
        tilts.append(float(tilt[0].abs() * WIDTH / 2 + tilt[1].abs() * HEIGHT / 2))  # at a corner
    assert 0.2 < max(tilts) <= 0.405


def test_elastic_shifts_each_part_its_own_way_and_neighbours_almost_alike() -> None:
    for x, _, new_x, _ in places("elastic=0.05"):
        shift = new_x - x
        assert float(shift.std()) > 0.05
        assert float(shift.abs().max()) <= 1.4 * 0.05 * WIDTH
        following = x.diff() == 1
        assert float(shift.diff()[following].abs().max()) < 0.6


def test_outside_the_image_is_its_reflection() -> None:
    for seed in SEEDS:
        new_x = once(coordinates(), "translation=1", seed)[0, 0] * 50
        x = coordinates()[0, 0].numpy() * 50
        mirrored = np.pad(x, 2 * WIDTH, mode="reflect")
        wide = np.arange(len(mirrored)) - (len(mirrored) - 1) / 2
        candidates = (np.interp(x + shift, wide, mirrored) for shift in np.arange(-WIDTH, WIDTH, 0.05))
        assert min(np.abs(row - new_x.numpy()).max() for row in candidates) < 0.06


def test_color_changes_the_brightness_of_gray_and_more_of_an_image() -> None:
    flat = torch.zeros(3, 8, 8)  # middle gray has neither contrast nor saturation
    factors = [float(once(flat, "color=0.3", seed).mean()) + 1 for seed in range(40)]
    assert 0.699 <= min(factors) < 0.8
    assert 1.2 < max(factors) <= 1.301
    ratios = once(random_image(), "color=0.3") / random_image()
    assert float(ratios.std()) > 0.1


def test_grayscale_and_hue_work_on_colors_alone() -> None:
    gray = once(random_image(), "grayscale=1")
    assert torch.equal(gray[:1].expand(3, -1, -1), gray)
    assert torch.allclose(once(gray, "hue=0.5"), gray, atol=1e-5)
    turned = once(random_image(), "hue=0.5", 1)
    assert torch.allclose(turned.amax(0), random_image().amax(0), atol=1e-5)  # the value of HSV stays


def test_blur_and_sharpness_change_the_contrast_of_neighbours() -> None:
    image = random_image() / 4
    ratios = [float(once(image, "blur=3", seed).std() / image.std()) for seed in SEEDS]
    assert min(ratios) < 0.3
    assert max(ratios) <= 1.001  # hardly blurred
    ratios = [float(once(image, "sharpness=1", seed).std() / image.std()) for seed in SEEDS]
    assert min(ratios) < 0.9
    assert max(ratios) > 1.1


def test_noise_has_at_most_its_standard_deviation() -> None:
    deviations = [float(once(torch.zeros(3, 32, 32), "noise=0.1", seed).std()) / 2 for seed in SEEDS]
    assert min(deviations) < 0.05
    assert 0.05 < max(deviations) < 0.11


def test_erasing_covers_a_rectangle_with_gray() -> None:
    white = torch.ones(3, 40, 40)
    for seed in SEEDS:
        erased = once(white, "erasing=1", seed)
        covered = erased[0] == 0
        assert torch.equal(erased, torch.where(covered, 0.0, 1.0).expand(3, -1, -1))
        assert 0.015 < float(covered.float().mean()) < 0.22
        assert torch.equal(covered, covered.any(1)[:, None] & covered.any(0))
    assert sum(torch.equal(once(white, "erasing=0.5", seed), white) for seed in range(40)) in range(8, 33)
