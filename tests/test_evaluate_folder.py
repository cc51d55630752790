"""``evaluate.py FOLDER``: as what images are read, and what is refused."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import RunCli
from tests.images import an_image, write
from tests.measuring import PAIRS, SIZE, evaluate, images, labelled_folder, measured, value
from tests.refusals import refused
from tests.runs import make_run


def test_a_folder_is_read_with_the_range_and_channels_of_the_target(tmp_path: Path, run_cli: RunCli) -> None:
    random = np.random.default_rng(0)
    for side, most in (("A", 60000), ("B", 4000)):
        (tmp_path / "deep" / f"test{side}").mkdir(parents=True)
        for number in range(2):
            values = random.integers(0, most, (20, 24)).astype(np.uint16)
            Image.fromarray(values).save(tmp_path / "deep" / f"test{side}" / f"x{number}.png")
    shutil.copytree(tmp_path / "deep" / "testB", tmp_path / "made")
    flags = "--metrics l1 --output_nc 1 --input_nc 3 --value_range_A 0,65535 --value_range_B 0,4095"
    for real in (tmp_path / "deep", tmp_path / "deep" / "testB"):
        found = measured(run_cli, tmp_path / "made", "--dataroot", real, flags)
        assert value(found) == 0
    assert found["evaluator"]["image_sizes"] == {"pairs 24x20": 2}


def test_the_8_bit_preview_beside_an_array_does_not_count(tmp_path: Path, run_cli: RunCli) -> None:
    random = np.random.default_rng(0)
    for side in "AB":
        (tmp_path / "arrays" / f"test{side}").mkdir(parents=True)
        for number in range(2):
            values = random.random((36, 40), dtype=np.float32) * 4000
            np.save(tmp_path / "arrays" / f"test{side}" / f"x{number}.npy", values)
    make_run(tmp_path / "checkpoints" / "n", "pix2pix", f"{PAIRS} --input_nc 1 --output_nc 1 --value_range 0,8000")
    words = ["--name", "n", "--dataroot", tmp_path / "arrays", "--preprocess", "keep", "--metrics", "l1"]
    assert run_cli("test", words).code == 0
    folder = Path("results/n/test_latest")
    assert (folder / "images" / "x0_fake_B.npy").exists()
    shown = folder / "images" / "x0_fake_B.png"
    Image.new("L", (40, 36), 0).save(shown)  # the preview must not matter
    expected = value(json.loads((folder / "metrics.json").read_text()))
    flags = "--metrics l1 --input_nc 1 --output_nc 1 --value_range 0,8000"
    found = measured(run_cli, folder / "images", "--dataroot", tmp_path / "arrays", flags)
    assert value(found) == pytest.approx(expected, abs=1e-6)


def test_nor_does_the_one_beside_a_deep_png(tmp_path: Path, run_cli: RunCli) -> None:
    for folder in ("made", "real"):
        (tmp_path / folder).mkdir()
    values = np.random.default_rng(0).integers(0, 4000, (20, 24)).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "made" / "x_fake_B.png")
    Image.fromarray(values).save(tmp_path / "real" / "x.png")
    Image.new("L", (24, 20)).save(tmp_path / "made" / "x_fake_B_shown.png")
    flags = "--metrics l1,histogram --input_nc 1 --output_nc 1 --value_range 0,4095"
    found = measured(run_cli, tmp_path / "made", "--dataroot", tmp_path / "real", flags)
    assert (value(found), images(found)) == (0, (1, 1))


def test_files_of_one_name_are_all_real_images_but_no_partners(tmp_path: Path, run_cli: RunCli) -> None:
    for name in ("made/b0.png", "real/b0.png", "real/b0.bmp", "real/b1.png"):
        write(an_image(3, (24, 20)), tmp_path / name)
    words = [tmp_path / "made", "--dataroot", tmp_path / "real", "--metrics"]
    assert images(measured(run_cli, *words, "histogram")) == (1, 3)
    refused(evaluate(run_cli, *words, "l1"), r"b0.bmp and .*b0.png.*remove or rename one")
    write(an_image(3, (24, 20)), tmp_path / "made" / "b0.bmp")
    refused(evaluate(run_cli, *words, "histogram"), r"b0.bmp and .*b0.png.*remove or rename one")


@pytest.mark.parametrize("damaged", ["made", "real"])
def test_a_damaged_image_is_told(damaged: str, tmp_path: Path, run_cli: RunCli) -> None:
    for folder in ("made", "real"):
        write(an_image(1), tmp_path / folder / "x.png")
    (tmp_path / damaged / "x.png").write_bytes(b"hello")
    words = [tmp_path / "made", "--dataroot", tmp_path / "real", "--metrics l1"]
    refused(evaluate(run_cli, *words), f"cannot read the image .*{damaged}/x.png")


def test_sizes_that_differ_are_brought_together_by_typed_flags(tmp_path: Path, run_cli: RunCli) -> None:
    write(an_image(1, (32, 32)), tmp_path / "made" / "x.png")
    write(an_image(1, (40, 36)), tmp_path / "real" / "x.png")
    words = [tmp_path / "made", "--dataroot", tmp_path / "real", "--metrics", "l1"]
    refused(evaluate(run_cli, *words), f"32x32.*40x36.*{SIZE}")
    resized = measured(run_cli, *words, SIZE)
    assert resized["evaluator"]["image_sizes"] == {"pairs 32x32": 1}
    assert 0 < value(resized) < 0.1


def test_the_real_set_is_known_again_only_in_the_same_size(tmp_path: Path, run_cli: RunCli) -> None:
    for number in range(3):
        write(an_image(number, (24, 20)), tmp_path / "made" / f"{number}.png")
        write(an_image(number + 5, (24, 20)), tmp_path / "real" / f"{number}.png")
    words = [tmp_path / "made", "--dataroot", tmp_path / "real", "--metrics", "histogram", "--output", "out.json"]
    size = "--preprocess resize_and_crop --load_size 4 --crop_size 4"
    found = []
    for extra in (["--statistics_cache", "kept"], [size, "--statistics_cache", "kept"], [size]):
        assert evaluate(run_cli, *words, *extra).code == 0
        found.append(json.loads(Path("out.json").read_text())["scores"])
    assert found[1] == found[2] != found[0]


def test_a_flag_may_have_its_value_behind_an_equals_sign(unaligned_root: Path, run_cli: RunCli) -> None:
    (unaligned_root / "test").mkdir()  # would be taken for pairs
    words = [unaligned_root / "testB", "--dataroot", unaligned_root, "--dataset_mode=unaligned --metrics=l1,histogram"]
    found = measured(run_cli, *words)
    assert (value(found), images(found)) == (0, (2, 2))


def test_fewer_can_be_measured(unaligned_root: Path, tmp_path: Path, run_cli: RunCli) -> None:
    folder = labelled_folder(tmp_path / "made", "fake_B rec_A real_A real_B")
    words = [folder, "--dataroot", unaligned_root, "--metrics", "histogram", "--max_dataset_size", 1]
    assert images(measured(run_cli, *words)) == (1, 1)


REFUSED = [
    ("--dataset_mode webdataset", "no folder of images on side B.*--dataset_mode webdataset.*aligned, unaligned or"),
    ("--dataset_mode colorization", "--dataroot .*colour.test"),
    ("--checkpoints_dir x", "--checkpoints_dir.*leave it out"),
    ("--num_test 5", "--num_test.*a folder of images.*--max_dataset_size"),
    ("--epoch 5", "--epoch.*a folder of images; leave it out"),
    ("--ema 0.9", "--ema.*a folder of images"),
    ("--model cycle_gan", "--model.*a folder of images"),
    ("--netG unet_32", "--netG.*a folder of images"),
    ("--preprocess crop", "--preprocess crop cuts.*at random.*resize_and_crop"),
    ("--preprocess resize_and_crop --load_size 36 --crop_size 32", "cuts.*at random"),
    ("--output .", "--output . is a folder"),
    ("--output made/sub/m.json", "--output .*lies in the folder that is measured"),
    ("--metrics segmented", "--dataset_mode single has no pairs"),
]


@pytest.mark.parametrize(("words", "sentence"), REFUSED, ids=[words for words, _ in REFUSED])
def test_a_mistake_is_one_sentence(
    words: str, sentence: str, colour_root: Path, tmp_path: Path, run_cli: RunCli
) -> None:
    shutil.copytree(colour_root / "test", tmp_path / "made")
    root = colour_root if "dataset_mode" in words else colour_root / "test"
    if "webdataset" in words:
        with tarfile.open(colour_root / "test" / "0.tar", "w") as shard:
            shard.add(colour_root / "test" / "colour0.png", "0.png")
    metrics = [] if "--metrics" in words else ["--metrics", "l1"]
    refused(evaluate(run_cli, "made", "--dataroot", root, *metrics, words), sentence)
    assert not list(tmp_path.rglob("*metrics.json"))
