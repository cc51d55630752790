"""A cache changes nothing but the time: the same batches with it, without it, filled or empty."""

from pathlib import Path

import pytest

from data.batch import Batch
from data.loader import Loader
from options.errors import UserError
from tests.images import an_image, side_by_side, write
from tests.loading import assert_same, epoch
from tests.loading import loader as load


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Both layouts, with sizes that differ."""
    for index in range(5):
        size = (40 + index, 36 + 2 * index)
        write(an_image(index, size), tmp_path / "trainA" / f"{index}.png")
        write(an_image(index, size), tmp_path / "trainB" / f"{index}.png")
        write(side_by_side(an_image(index, size), an_image(9, size)), tmp_path / "train" / f"{index}.png")
    return tmp_path


def loader(root: Path, words: str) -> Loader:
    where = f"--cache_dir {root / 'cache'}" if "--cache disk" in words else ""
    return load(root, f"--model template {words} {where}")


def epochs(source: Loader) -> list[Batch]:
    return epoch(source, 1) + epoch(source, 2)


@pytest.mark.parametrize("preprocess", ["resize_and_crop", "pad_and_crop", "keep"])
@pytest.mark.parametrize("mode", ["unaligned", "aligned"])
@pytest.mark.parametrize("cache", ["--cache ram", "--cache disk", "--cache ram --num_threads 2", "--cache_gb 0.00001"])
def test_batches_are_the_same_with_a_cache(root: Path, mode: str, preprocess: str, cache: str) -> None:
    words = f"--dataset_mode {mode} --preprocess {preprocess}"
    if cache.startswith("--cache_gb"):  # room for some of the images
        cache += " --cache ram"
        words += " --input_nc 1 --output_nc 1"
    assert_same(epochs(loader(root, f"{words} {cache}")), epochs(loader(root, words)))


def test_a_second_epoch_reads_no_file(root: Path) -> None:
    source = loader(root, "--dataset_mode unaligned --cache ram --serial_batches")
    before = epochs(source)
    for path in root.rglob("*.png"):
        path.write_bytes(b"")
    assert_same(epochs(source), before)


def test_the_disk_keeps_images_for_the_next_training(root: Path) -> None:
    words = "--dataset_mode aligned --cache disk"
    before = epochs(loader(root, words))
    later = loader(root, words)
    for path in root.rglob("train/*.png"):
        path.rename(path.with_suffix(".away"))
    assert_same(epochs(later), before)  # without the images


@pytest.mark.parametrize("change", ["--load_size 38", "--interpolation nearest", "--value_range=0,300", "an image"])
def test_it_is_not_used_for_other_images(root: Path, change: str) -> None:
    words = "--dataset_mode aligned --cache disk"
    epochs(loader(root, words))
    if change == "an image":
        write(side_by_side(an_image(50), an_image(51)), root / "train" / "0.png")
        change = ""
    assert_same(
        epochs(loader(root, f"{words} {change}")),
        epochs(loader(root, f"{words.replace('--cache disk ', '')} {change}")),
    )


def test_more_than_there_is_cannot_be_kept(root: Path) -> None:
    with pytest.raises(
        UserError, match="--cache_gb asks for 1e.06 GB, but only .* of memory are free; lower --cache_gb"
    ):
        loader(root, "--cache ram --cache_gb 1000000")
