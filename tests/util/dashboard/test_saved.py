"""The images that a dashboard goes on with: bounded, in order, and not of a part that is trained again."""

import io
import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from util.dashboard.saved import LIMIT, Sheets, read_images, read_sheets
from util.run_folder import image_files, image_path, sample_sheets


def name(number: int) -> bytes:
    return str(number).encode()


def save(folder: Path, epoch: int, label: str, *, at: int = 0, level: int = 90, gray: bool = False) -> Path:
    """Write an image as the page does, at a point in time."""
    path = folder / "web" / image_path(epoch, label)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 6) if gray else (8, 6, 3), level, np.uint8)).save(path)
    os.utime(path, (at, at))
    return path


def save_sheet(folder: Path, epoch: int) -> None:
    """Write a sheet that is as wide as its epoch."""
    path = folder / "web" / image_path(epoch, "samples", "jpg")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (epoch, 2)).save(path)


def epochs(sheets: Sheets) -> list[int]:
    return [Image.open(io.BytesIO(item)).width for item in sheets.items]


def test_sheets_are_bounded_and_keep_the_first_the_newest_and_their_order() -> None:
    sheets, most = Sheets(), 0
    for number in range(1000):
        before, version = list(sheets.items), sheets.version
        sheets.add(name(number))
        kept = [int(item) for item in sheets.items]
        assert kept == sorted(set(kept))
        assert (kept[0], kept[-1]) == (0, number)
        assert (sheets.items[:-1] == before) is (sheets.version == version), "a new version says that some are gone"
        most = max(most, len(kept))
        assert len(kept) >= min(number + 1, LIMIT // 3)
        gaps = [after - before for before, after in itertools.pairwise(kept[:-1])]
        assert sorted(gaps, reverse=True) == gaps, "even, but for the newest"
    assert most == LIMIT


@pytest.mark.parametrize("count", [0, 1, LIMIT, LIMIT + 1, 500])
def test_sheets_of_the_disk_are_spread_over_the_run(count: int, tmp_path: Path) -> None:
    for epoch in range(1, count + 1):
        save_sheet(tmp_path, epoch)
    kept = epochs(read_sheets(tmp_path, last_epoch=count))
    assert min(count, LIMIT // 2) <= len(kept) <= LIMIT
    assert kept == sorted(kept)
    assert not kept or (kept[0], kept[-1]) == (1, count)


def test_sheets_after_the_last_epoch_are_left_out(tmp_path: Path) -> None:
    for epoch in (2, 10, 9, 1000, 1001):
        save_sheet(tmp_path, epoch)
    save(tmp_path, 3, "fake_B")
    assert epochs(read_sheets(tmp_path, last_epoch=1000)) == [2, 9, 10, 1000]
    assert read_sheets(tmp_path, last_epoch=0).items == []


def test_the_newest_images_come_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    for epoch in (999, 1000, 1001):
        for second, label in enumerate(("real_A", "fake_B", "another")):
            save(tmp_path, epoch, label, at=1000 * epoch + second, level=epoch % 251, gray=label == "fake_B")
    images = read_images(tmp_path, last_epoch=1000, images_seen=7)
    assert images is not None
    assert (images.epoch, images.images_seen) == (1000, 7)
    assert list(images.images) == ["real_A", "fake_B", "another"]
    assert [image.shape for image in images.images.values()] == [(8, 6, 3), (8, 6), (8, 6, 3)]
    assert all((image == 1000 % 251).all() for image in images.images.values())


def test_a_run_without_images_has_none(tmp_path: Path) -> None:
    assert read_images(tmp_path, last_epoch=5, images_seen=0) is None
    assert read_sheets(tmp_path, last_epoch=5).items == []
    save(tmp_path, 6, "fake_B")
    assert read_images(tmp_path, last_epoch=5, images_seen=0) is None


@pytest.mark.parametrize("content", [b"", b"no image"])
def test_a_damaged_image_is_left_out(content: bytes, tmp_path: Path) -> None:
    save(tmp_path, 1, "real_A")
    save(tmp_path, 1, "fake_B").write_bytes(content)
    images = read_images(tmp_path, last_epoch=1, images_seen=0)
    assert images is not None
    assert list(images.images) == ["real_A"]


def test_a_sheet_of_which_nothing_was_written_is_left_out(tmp_path: Path) -> None:
    save_sheet(tmp_path, 1)
    (tmp_path / "web" / image_path(2, "samples", "jpg")).touch()
    assert epochs(read_sheets(tmp_path, last_epoch=2)) == [1]


def test_what_else_lies_in_the_folder_is_not_taken_for_images(tmp_path: Path) -> None:
    save(tmp_path, 7, "real_A")
    save_sheet(tmp_path, 7)
    images = tmp_path / "web" / "images"
    for other in ("epoch_real_A.png", "epoch07_real_A.png", "real_A.png", "epoch007_fake_B.png.tmp", "epoch007_x.jpg"):
        (images / other).write_bytes(b"")
    assert image_files(tmp_path) == [(7, "real_A", images / "epoch007_real_A.png")]
    assert sample_sheets(tmp_path) == [(7, images / "epoch007_samples.jpg")]
