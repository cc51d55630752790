"""What ``--augment`` and ``--augment_input`` do to images."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from data.augment.augmentation import Look, parse_augmentation
from data.augment.steps import KINDS
from options.errors import UserError
from tests.data.conftest import augmentation, once

Convert = Callable[[Tensor], Tensor]

GEOMETRIC = [name for name, kind in KINDS.items() if kind.geometric]
COLORS = [name for name in KINDS if name not in GEOMETRIC]
FOR_GRAY_OR_COLOR = ("color", "hue", "grayscale", "sharpness")
SEEDS = range(12)
LABELS = [Look((1,), True, True), Look((1,), True, False)]  # and an image of them
PAIR = [Look((3,), True, False), Look((3,), False, False)]  # input and target


def levels(channels: int, side: int = 32) -> Tensor:
    """Return an image in the order of memory that image files have."""
    values = np.random.default_rng(channels).integers(0, 256, (side, side, channels), np.uint8)
    return torch.from_numpy(values).permute(2, 0, 1)


def units(image: Tensor) -> Tensor:
    return image.float() / 127.5 - 1


def strongest(name: str) -> str:
    return f"{name}={KINDS[name].highest}"


def test_steps_come_in_the_order_of_the_table_with_their_strengths() -> None:
    steps = parse_augmentation(" color, zoom=0.25 ,rotation=7", "--augment")
    assert [(step.name, step.strength) for step in steps] == [
        ("rotation", 7),
        ("zoom", 0.25),
        ("color", KINDS["color"].default),
    ]
    assert steps == parse_augmentation("rotation=7,color,zoom=0.25", "--augment")


@pytest.mark.parametrize("text", ["", " ", "rotation=0", "rotation=0,color=0.0"])
def test_nothing_and_a_strength_of_zero_ask_for_nothing(text: str) -> None:
    assert parse_augmentation(text, "--augment") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rotate=10", r"--augment_input does not know 'rotate'; did you mean 'rotation'\?; known: .*rotation, "),
        ("rotation,,color", "--augment_input does not know ''; known: "),
        ("zoom,color,zoom=0.2", "--augment_input names zoom twice; write it once"),
        ("rotation=200", r"rotation=200 is not a number from 0 to 180 \(degrees at most\); .* rotation=10"),
        ("color=-0.1", "color=-0.1 is not a number from 0 to 0.9"),
        ("color=much", "color=much is not a number from 0 to 0.9"),
        ("color=nan", "color=nan is not a number from 0 to 0.9"),
        ("color=", "color= is not a number from 0 to 0.9"),
    ],
)
def test_a_mistake_in_the_flag_is_named(text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        parse_augmentation(text, "--augment_input")


@pytest.mark.parametrize("channels", [1, 3, 4, 5])
@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("convert", [units, lambda image: image], ids=["float32", "uint8"])
def test_each_step_changes_the_image_but_not_its_kind(name: str, channels: int, convert: Convert) -> None:
    image = convert(levels(channels))
    before = image.clone()
    if channels == 5 and name in FOR_GRAY_OR_COLOR:
        with pytest.raises(UserError, match=f"--augment {name} needs 1 or 3 channels, not 5; leave it out"):
            once(image, name)
        return
    results = [once(image, name, seed) for seed in SEEDS]
    for result in results:
        assert (result.shape, result.dtype) == (before.shape, before.dtype)
        assert result.min() >= (0 if result.dtype == torch.uint8 else -1.00001)
        assert result.max() <= (255 if result.dtype == torch.uint8 else 1.00001)
    assert torch.equal(image, before)  # never written to
    without_color = channels == 1 and name in ("hue", "grayscale")
    changed = sum(not torch.allclose(result.float(), before.float(), atol=1e-5) for result in results)
    assert changed == 0 if without_color else changed > 0


@pytest.mark.parametrize("name", KINDS)
def test_levels_and_units_change_alike(name: str) -> None:
    for seed in SEEDS:
        exact = once(units(levels(3)), strongest(name), seed)
        assert (units(once(levels(3), strongest(name), seed)) - exact).abs().max() <= 0.51 / 127.5


@pytest.mark.parametrize("name", GEOMETRIC)
def test_both_images_of_a_pair_move_alike(name: str) -> None:
    A, B = levels(3), units(levels(3))[1:2]
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        moved_A, moved_B = augmentation(name)([A, B], rng, looks=[Look((3,), True, False), Look((1,), False, False)])
        assert (units(moved_A)[1:2] - moved_B).abs().max() <= 0.51 / 127.5


@pytest.mark.parametrize("name", COLORS)
def test_both_images_of_a_pair_change_their_colors_alike(name: str) -> None:
    pair = [levels(3), levels(3)]
    for seed in SEEDS:
        A, B = augmentation(name)(pair, np.random.default_rng(seed), looks=PAIR)
        assert torch.equal(A, B)


@pytest.mark.parametrize("name", KINDS)
def test_what_is_for_the_input_leaves_the_other_image_alone(name: str) -> None:
    A, B = levels(3), units(levels(3))
    changed = 0
    for seed in SEEDS:
        new_A, new_B = augmentation("", name)([A, B], np.random.default_rng(seed), looks=PAIR)
        assert torch.equal(new_B, B)
        changed += not torch.equal(new_A, A)
        with_moves = augmentation("rotation", name)([A, B], np.random.default_rng(seed), looks=PAIR)
        assert torch.equal(with_moves[1], augmentation("rotation")([A, B], np.random.default_rng(seed), looks=PAIR)[1])
    assert changed > 0


@pytest.mark.parametrize("convert", [units, lambda image: image], ids=["float32", "uint8"])
def test_a_label_map_keeps_its_values_and_its_place(convert: Convert) -> None:
    regions = torch.zeros(1, 40, 40, dtype=torch.uint8)
    regions[:, 8:30, 5:20], regions[:, 20:36, 18:37] = 7, 251
    labels = convert(regions)
    image = (regions == 7).byte() * 255
    for name in GEOMETRIC:
        for seed in SEEDS:
            new, seen = augmentation(name)([labels, image], np.random.default_rng(seed), looks=LABELS)
            assert set(new.flatten().tolist()) <= set(labels.flatten().tolist())
            differs = (new == labels[0, 10, 10]) != (seen > 127)
            assert differs.float().mean() < 0.02, name  # on a border at most


@pytest.mark.parametrize("name", COLORS)
def test_colors_leave_a_label_map_alone(name: str) -> None:
    assert torch.equal(once(levels(5), strongest(name), label=True), levels(5))


def test_the_generator_alone_decides() -> None:
    everything = augmentation(",".join(KINDS), ",".join(KINDS))
    results = []
    for seed, global_seed in ((3, 1), (3, 2), (4, 1)):
        torch.manual_seed(global_seed)
        states = torch.random.get_rng_state(), np.random.get_state(legacy=False)["state"]["key"]
        results.append(everything([levels(3)], np.random.default_rng(seed), looks=PAIR[:1])[0])
        assert torch.equal(states[0], torch.random.get_rng_state())
        assert np.array_equal(states[1], np.random.get_state(legacy=False)["state"]["key"])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_one_step_draws_the_same_whatever_is_beside_it() -> None:
    alone, beside = once(units(levels(3)), "color", 5), once(units(levels(3)), "color,vertical_flip=1", 5)
    assert torch.allclose(alone.flip(1), beside, atol=1e-5)


def test_steps_are_drawn_independently() -> None:
    halves = torch.zeros(1, 8, 8)
    halves[:, 4:] = 0.2
    found = set()
    for seed in range(40):
        result = once(halves, "vertical_flip,noise=0.001,color=0.3", seed)
        found.add((bool(result[0, 0].mean() > result[0, 7].mean()), bool(result.mean() > halves.mean())))
    assert len(found) == 4  # bright and dark, each way up


@pytest.mark.parametrize("name", [*GEOMETRIC, ",".join(GEOMETRIC)])
@pytest.mark.parametrize("size", [(20, 33), (16, 16), (1, 5)])
def test_no_move_leaves_a_black_corner(name: str, size: tuple[int, int]) -> None:
    text = ",".join(strongest(part) for part in name.split(","))
    for seed in SEEDS:
        plain = torch.full((3, *size), 200, dtype=torch.uint8)
        assert torch.equal(once(plain, text, seed), plain)
        assert torch.allclose(once(units(plain), text, seed), units(plain), atol=1e-5)


def test_transparency_keeps_its_values_under_colors() -> None:
    image = levels(4)
    for name in COLORS:
        result = once(image, strongest(name), 1)
        assert torch.equal(result[3], image[3])
        assert torch.equal(result[:3], once(image[:3], strongest(name), 1))


def test_torchvision_waits_for_the_first_image() -> None:
    code = (
        "import sys; from data.augment.augmentation import Augmentation, Look, parse_augmentation as parse; "
        "Augmentation(parse('rotation,color', '--augment'), ()); sys.exit('torchvision' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], timeout=120).returncode == 0


def test_of_stacked_files_each_has_its_own_colors_and_transparency() -> None:
    photo, depth, rgba = levels(3), levels(1), levels(4)
    look = [Look((3, 1, 4), True, False)]
    changed = augmentation("color=0.9")([torch.cat([photo, depth, rgba])], np.random.default_rng(1), looks=look)[0]
    for part, was in zip(torch.split(changed, [3, 1, 4]), (photo, depth, rgba), strict=True):
        assert torch.equal(part, once(was, "color=0.9", seed=1))
    assert not torch.equal(changed[3:4], depth)
    assert torch.equal(changed[7], rgba[3])
