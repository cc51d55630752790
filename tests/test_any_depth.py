"""Trainings on images of any depth and number of channels: what ``test.py`` then makes of them."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.any_files import load, values
from tests.conftest import RunCli
from tests.images import an_image, write


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_a_translation_has_the_depth_of_its_partner(
    direction: str, run_cli: RunCli, tiny: list[str], tmp_path: Path
) -> None:
    for phase in ("train", "test"):
        for index in range(2):
            write(an_image(index), tmp_path / "d" / f"{phase}A" / f"{index}.png")
            (tmp_path / "d" / f"{phase}B").mkdir(exist_ok=True)
            depth = (np.random.RandomState(index).rand(36, 40) * 10).astype(np.float32)
            tifffile.imwrite(tmp_path / "d" / f"{phase}B" / f"{index}.tif", depth)
    nc = ["--input_nc", 3, "--output_nc", 1] if direction == "AtoB" else ["--input_nc", 1, "--output_nc", 3]
    words = ["--model", "pix2pix", "--netG", "unet_32", "--dataroot", "d", "--name", "depth", "--direction", direction]
    assert run_cli("train", [*words, *nc, *tiny, "--value_range_B", "0,10"]).code == 0
    assert run_cli("test", ["--name", "depth", "--preprocess", "keep"]).code == 0
    images = tmp_path / "results/depth/test_latest/images"
    image_name, depth_name = ("real_A", "fake_B") if direction == "AtoB" else ("fake_B", "real_A")
    assert load(images / f"0_{image_name}.png").dtype == np.uint8
    made = load(images / f"0_{depth_name}.tif")
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() > 1.5  # within 0 to 10, not 0 to 1
    if direction == "BtoA":
        np.testing.assert_allclose(made[:, :, 0], tifffile.imread(tmp_path / "d/testB/0.tif"), atol=1e-5)


def test_a_training_on_many_channels_shows_images_and_writes_arrays_like_the_partners(
    run_cli: RunCli, tiny: list[str], tmp_path: Path
) -> None:
    for phase in ("train", "test"):
        for side, array in (
            ("A", values((40, 36), 5, np.uint16)),
            ("B", values((40, 36), 2, np.uint16).transpose(2, 0, 1)),
        ):
            (tmp_path / "d" / f"{phase}{side}").mkdir(parents=True)
            np.save(tmp_path / "d" / f"{phase}{side}" / "x.npy", array)
    words = ["--model", "pix2pix", "--netG", "unet_32", "--dataroot", "d", "--name", "many", *tiny]
    assert run_cli("train", [*words, "--input_nc", 5, "--output_nc", 2]).code == 0
    shown = list((tmp_path / "checkpoints/many/web/images").glob("*"))
    assert {Image.open(path).mode for path in shown if "real_A" in path.name} == {"RGB"}
    assert {Image.open(path).mode for path in shown if "fake_B" in path.name} == {"L"}
    assert run_cli("test", ["--name", "many", "--preprocess", "keep"]).code == 0
    images = tmp_path / "results/many/test_latest/images"
    assert np.load(images / "x_real_A.npy").shape == (36, 40, 5)
    made = np.load(images / "x_fake_B.npy")
    assert made.shape == (2, 36, 40)  # as its partner
    assert made.dtype == np.uint16
    assert np.unique(made).size > 256


def test_the_way_back_of_a_cyclegan_reads_its_input_as_B(run_cli: RunCli, tiny: list[str], tmp_path: Path) -> None:
    for side, low in (("A", 0), ("B", 100)):
        (tmp_path / "d" / f"train{side}").mkdir(parents=True)
        levels = np.random.RandomState(low).randint(low, low + 50, (36, 40)).astype(np.int32)
        np.save(tmp_path / "d" / f"train{side}" / "x.npy", levels)
    ranges = ["--value_range_A", "0,49", "--value_range_B", "100,149"]
    nc = ["--input_nc", 1, "--output_nc", 1]
    words = ["--name", "back", "--dataroot", "d", "--netG", "resnet_1blocks", *nc, *ranges, *tiny]
    assert run_cli("train", words).code == 0
    root = tmp_path / "d" / "trainB"
    backwards = ["--name", "back", "--model", "test", "--model_suffix", "_B", "--dataroot", root]
    assert run_cli("test", [*backwards, "--preprocess", "keep"]).code == 0
    images = tmp_path / "results/back/test_latest/images"
    np.testing.assert_array_equal(np.load(images / "x_real.npy"), np.load(root / "x.npy"))
    made = np.load(images / "x_fake.npy")
    assert 0 <= made.min() <= made.max() <= 49
