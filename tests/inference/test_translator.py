"""A trained run as a function of images, through ``load``."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from inference import load
from inference.large import Tiling
from models.registry import create_model
from models.trained_run import load_networks, stored_options
from options.cli import parse_test
from options.errors import UserError
from tests.runs import make_run
from util.color import rgb_to_lab

Levels = np.ndarray[Any, Any]


@pytest.fixture
def image() -> Levels:
    return np.random.default_rng(0).integers(0, 256, (37, 50, 3), np.uint8)


def by_hand(
    run: Path, image: Tensor, network: str = "G_A", *, flags: tuple[str, ...] = (), training: bool = False
) -> Tensor:
    """Translate 1 x C x H x W in [-1, 1] as ``test.py --eval`` would, or with the norms of a training."""
    words = ["--name", run.name, "--checkpoints_dir", str(run.parent), "--dataroot", "x", "--precision", "fp32"]
    model = create_model(parse_test([*words, *flags], stored=stored_options))
    load_networks(model, run, "latest")
    model.train(training)
    for layer in model.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0
    with torch.no_grad():
        return model.networks[network](image)  # type: ignore[no-any-return]


def levels_of(image: Tensor) -> Levels:
    return ((image[0] + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()


def units(levels: Levels) -> Tensor:
    return (torch.from_numpy(levels).permute(2, 0, 1)[None].float() / 255 - 0.5) * 2


def test_each_kind_of_image_comes_back_as_it_went_in(cycle: Path, image: Levels, tmp_path: Path) -> None:
    translator = load(cycle, precision="fp32")
    wanted = levels_of(by_hand(cycle, units(image)))
    assert wanted.std() > 10
    assert np.abs(translator(image).astype(int) - wanted).max() <= 1
    as_image = translator(Image.fromarray(image))
    assert isinstance(as_image, Image.Image)
    assert np.array_equal(np.asarray(as_image), translator(image))
    Image.fromarray(image).save(tmp_path / "a.png")
    assert np.array_equal(np.asarray(translator(tmp_path / "a.png")), translator(image))
    assert np.array_equal(np.asarray(translator(str(tmp_path / "a.png"))), translator(image))
    planes = torch.from_numpy(image).permute(2, 0, 1)
    assert torch.equal(translator(planes), torch.from_numpy(translator(image)).permute(2, 0, 1))
    both = translator([image, Image.fromarray(image)])
    assert np.array_equal(both[0], np.asarray(both[1]))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64, np.float16])
def test_depth_and_layout_are_kept(cycle: Path, image: Levels, dtype: Any) -> None:
    translator = load(cycle)
    given = (image / 255 * (np.iinfo(dtype).max if np.dtype(dtype).kind == "u" else 1)).astype(dtype)
    before = given.copy()
    made = translator(given)
    assert made.dtype == dtype
    assert made.shape == given.shape
    assert np.array_equal(before, given)  # the caller's own is left alone
    assert translator(given.transpose(2, 0, 1)).shape == (3, 37, 50)
    scale = float(np.iinfo(dtype).max) if np.dtype(dtype).kind == "u" else 1.0
    assert np.abs(made / scale - translator(image) / 255).max() < 0.02


def test_tensors_keep_shape_type_and_batch(cycle: Path) -> None:
    translator = load(cycle)
    images = torch.rand(3, 3, 24, 20, dtype=torch.float64)
    made = translator(images)
    assert made.shape == images.shape
    assert made.dtype == torch.float64
    assert torch.allclose(made[1], translator(images[1]), atol=1e-5)
    assert translator(images[:1]).shape == (1, 3, 24, 20)


def test_pil_modes_become_what_the_network_makes_and_alpha_is_kept(cycle: Path, image: Levels) -> None:
    translator = load(cycle)
    plain = Image.fromarray(image)
    assert translator(plain.convert("L")).mode == "RGB"
    assert translator(plain.convert("P")).mode == "RGB"
    alpha = np.arange(37 * 50, dtype=np.uint8).reshape(37, 50)
    with_alpha = plain.copy()
    with_alpha.putalpha(Image.fromarray(alpha))
    made = translator(with_alpha)
    assert made.mode == "RGBA"
    assert np.array_equal(np.asarray(made)[:, :, 3], alpha)
    assert np.array_equal(np.asarray(made)[:, :, :3], np.asarray(translator(plain)))


def test_both_directions_of_a_cyclegan_and_the_way_back(cycle: Path, image: Levels) -> None:
    translator = load(cycle, precision="fp32")
    assert list(translator.directions) == ["AtoB", "BtoA"]
    other = translator(image, "BtoA")
    assert np.abs(other.astype(int) - levels_of(by_hand(cycle, units(image), "G_B"))).max() <= 1
    assert np.array_equal(load(cycle, direction="BtoA", precision="fp32")(image), other)
    fake, rec = translator.round_trip(image)
    assert np.array_equal(fake, translator(image))
    assert np.array_equal(rec, translator(fake, "BtoA"))


def test_a_run_from_b_to_a_says_so_and_swaps_the_generators(tmp_path: Path, image: Levels) -> None:
    run = make_run(tmp_path / "back", flags="--direction BtoA")
    translator = load(run, precision="fp32")
    assert list(translator.directions) == ["BtoA", "AtoB"]
    assert np.abs(translator(image).astype(int) - levels_of(by_hand(run, units(image), "G_A"))).max() <= 1


def test_pix2pix_has_one_direction_no_dropout_and_norms_of_each_image(tmp_path: Path, image: Levels) -> None:
    run = make_run(tmp_path / "p2p", "pix2pix", "--netG unet_32 --norm batch --direction BtoA")
    translator = load(run, precision="fp32")
    assert list(translator.directions) == ["BtoA"]
    square = np.ascontiguousarray(np.tile(image, (2, 2, 1))[:64, :64])
    wanted = levels_of(by_hand(run, units(square), "G", training=True))
    assert np.abs(translator(square).astype(int) - wanted).max() <= 1
    with pytest.raises(UserError, match="translates BtoA, not 'AtoB'"):
        translator(square, "AtoB")
    with pytest.raises(UserError, match="for a round trip give a CycleGAN's run"):
        translator.round_trip(square)
    in_company = translator([np.ascontiguousarray(square[::-1]), square])[1]
    assert np.array_equal(in_company, translator(square))


def test_running_statistics_are_those_of_eval(tmp_path: Path, image: Levels) -> None:
    run = make_run(tmp_path / "p2p", "pix2pix", "--netG resnet_1blocks --norm batch")
    made = load(run, precision="fp32", running_statistics=True)(image)
    wanted = levels_of(by_hand(run, units(image), "G", flags=("--eval",)))
    assert np.abs(made.astype(int) - wanted).max() <= 1
    assert np.abs(made.astype(int) - load(run, precision="fp32")(image)).max() > 1


def test_colorization_keeps_the_lightness(tmp_path: Path, image: Levels) -> None:
    run = make_run(tmp_path / "col", "colorization", "--netG unet_32")
    smooth = np.asarray(Image.fromarray(image).resize((8, 8)).resize((64, 64), Image.Resampling.BICUBIC))
    made = load(run)(smooth)
    assert made.shape == smooth.shape
    before, after = (rgb_to_lab(image / 255.0) for image in (smooth, made))
    inside = ((made > 0) & (made < 255)).all(2)  # no colour was clipped
    assert inside.sum() > 30
    assert np.abs(before - after)[..., 0][inside].max() < 1
    assert np.abs(before - after)[..., 1:].max() > 5
    assert load(run)(Image.fromarray(smooth).convert("L")).mode == "RGB"


def test_a_value_range_of_the_training_holds_here(tmp_path: Path) -> None:
    run = make_run(tmp_path / "ct", flags="--input_nc 1 --output_nc 1 --value_range_A -1000,3000 --value_range_B 0,1")
    scan = np.random.default_rng(0).integers(-1000, 3000, (32, 40), np.int16)
    there = load(run)(scan)
    assert there.dtype == np.float32
    assert 0 <= there.min() < there.max() <= 1
    back = load(run)(there, "BtoA")
    assert back.max() > 10
    with pytest.raises(UserError, match="outside -1000 to 3000"):
        load(run)(scan + np.int16(1000))


def test_load_size_works_at_that_size_and_gives_back_the_images(cycle: Path, image: Levels) -> None:
    translator = load(cycle)
    large = np.asarray(Image.fromarray(image).resize((100, 74), Image.Resampling.BICUBIC))
    made = translator(large, load_size=37)
    assert made.shape == large.shape
    small = np.asarray(Image.fromarray(translator(image)).resize((100, 74), Image.Resampling.BICUBIC)).astype(int)
    assert np.abs(made.astype(int) - small).mean() < np.abs(translator(large).astype(int) - small).mean() / 2


def test_threads_share_a_translator(cycle: Path) -> None:
    translator = load(cycle)
    images = [np.random.default_rng(seed).integers(0, 256, (24 + seed, 20, 3), np.uint8) for seed in range(8)]

    def work(number: int = 0) -> list[Levels]:
        return [translator(image, way) for image in images for way in ("AtoB", "BtoA")]

    alone = work()
    with ThreadPoolExecutor(4) as threads:
        for made in threads.map(work, range(4)):
            assert all(np.array_equal(one, other) for one, other in zip(made, alone, strict=True))


def test_the_caller_draws_the_same_random_numbers_as_without(cycle: Path, image: Levels) -> None:
    before = torch.get_rng_state()
    load(cycle)(image)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("given", "kind", "words"),
    [
        (3, TypeError, "an image is a PIL image, a NumPy array"),
        ("nowhere.png", UserError, "there is no such file"),
        (np.zeros((2, 3, 4, 5), np.uint8), UserError, "its array has 4 axes"),
        (np.zeros((8, 8, 3), np.complex64), UserError, "its numbers are complex64"),
        (np.zeros((20, 20, 7), np.uint8), UserError, "7"),
        (np.zeros((0, 5, 3), np.uint8), UserError, r"size \(0, 5, 3\) has no pixels"),
        (Image.new("HSV", (8, 8)), UserError, "a PIL image of mode HSV cannot be translated; convert it"),
        (torch.zeros((3, 8, 8), dtype=torch.complex64), UserError, "a tensor cannot be translated: its numbers are"),
        (torch.zeros(5, 5), UserError, r"a tensor of shape \(5, 5\) is no image"),
        (np.full((8, 8, 3), -1, np.float32), UserError, "outside 0 to 1"),
        (np.full((8, 8, 3), np.nan, np.float32), UserError, "no numbers"),
    ],
)
def test_what_is_no_image_is_told(cycle: Path, given: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        load(cycle)(given)


def test_what_does_not_fit_is_told(cycle: Path, image: Levels, monkeypatch: pytest.MonkeyPatch) -> None:
    translator = load(cycle)
    translator.tiling = Tiling("exact")
    with pytest.raises(UserError, match="is too large for --load_size, 270x200 pixels; leave that out"):
        translator(image, load_size=200)

    def forward(images: Tensor) -> Tensor:
        raise RuntimeError("can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(translator._networks["AtoB"], "forward", forward)
    translator.tiling = Tiling("off")
    with pytest.raises(UserError, match="not enough memory for 50x37 pixels at once; leave --tiling off out"):
        translator(image)


def test_integers_are_near_and_refused_where_they_gain_nothing(cycle: Path, tmp_path: Path) -> None:
    run = make_run(tmp_path / "wide", flags="--ngf 32")
    smooth = np.asarray(Image.linear_gradient("L").resize((64, 48)).convert("RGB"))
    exact, integers = load(run, precision="fp32", device="cpu"), load(run, precision="int8", device="cpu")
    assert exact.describe() == "cpu, fp32"
    assert "int8" in integers.describe()
    made, wanted = integers(smooth).astype(int), exact(smooth).astype(int)
    assert 0 < np.abs(made - wanted).mean() < 8
    with pytest.raises(UserError, match="--precision int8 gains nothing here: .* has no wide convolutions; pass auto"):
        load(cycle, precision="int8", device="cpu")
