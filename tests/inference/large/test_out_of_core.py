"""Image files that go by way of files of plain numbers: each kind that is read and written."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from inference import Translator, load
from inference.large.out_of_core import translate_out_of_core
from inference.large.raw_encoding import packed
from inference.large.raw_file import RawFile, empty
from options.errors import UserError
from tests.images import an_image, write
from tests.optional import need
from util.raster.reading import read_raster

need("pyvips")

LEVELS = np.asarray(an_image(1))


@pytest.fixture(scope="module")
def translator(cycle: Path) -> Translator:
    return load(cycle, precision="fp32", device="cpu")


def saved(levels: npt.NDArray[np.generic], path: Path) -> Path:
    """Write an array file."""
    np.save(path, levels)
    return path


def tiff(levels: npt.NDArray[np.generic], path: Path) -> Path:
    """Write a TIFF."""
    tifffile.imwrite(path, levels, photometric="rgb")
    return path


@pytest.mark.parametrize(
    ("suffix", "wanted", "apart"), [("", ".png", 1), (".tif", ".tif", 1), (".npy", ".npy", 1), (".jpg", ".jpg", 60)]
)
def test_the_suffix_decides_the_format(
    suffix: str, wanted: str, apart: float, translator: Translator, tmp_path: Path
) -> None:
    source = write(an_image(1), tmp_path / "in.png")
    made = translate_out_of_core(translator, source, tmp_path / "out" / "a.b", suffix=suffix)
    assert made == tmp_path / "out" / f"a.b{wanted}"
    assert np.abs(read_raster(made).levels.astype(int) - translator(LEVELS)).mean() <= apart
    assert list(made.parent.iterdir()) == [made]


def test_array_files_and_turned_photos_are_read(translator: Translator, tmp_path: Path) -> None:
    deep = saved(LEVELS.astype(np.uint16) * 257, tmp_path / "deep.npy")
    made = np.load(translate_out_of_core(translator, deep, tmp_path / "deep_made"))
    assert np.abs(made.astype(int) - translator(np.load(deep))).max() <= 9  # of 65535
    photo, exif = an_image(1), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    photo.save(tmp_path / "in.png", exif=exif)
    made = read_raster(translate_out_of_core(translator, tmp_path / "in.png", tmp_path / "upright")).levels
    assert np.abs(made.astype(int) - translator(np.ascontiguousarray(np.rot90(LEVELS, -1)))).max() <= 1


@pytest.mark.parametrize(
    ("source", "suffix", "words"),
    [
        (lambda folder: write(an_image(1), folder / "in.png"), ".bmp", "does not become a BMP; pass --format png"),
        (lambda folder: saved(LEVELS.astype(np.uint16), folder / "in.npy"), ".jpg", ".jpg files cannot hold rgb of"),
        (lambda folder: saved(LEVELS.transpose(2, 0, 1), folder / "in.npy"), "", "save it as height x width x chan"),
        (lambda folder: tiff(LEVELS.astype(np.int8), folder / "in.tif"), "", r"\(its numbers are char\); convert it"),
        (lambda folder: folder / "in.png", "", "cannot read the image .*in.png"),
    ],
)
def test_what_cannot_be_done_is_told(
    source: Callable[[Path], Path], suffix: str, words: str, translator: Translator, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=words):
        translate_out_of_core(translator, source(tmp_path), tmp_path / "made", suffix=suffix)


def test_an_image_too_wide_for_its_format_is_told(tmp_path: Path) -> None:
    numbers = RawFile(tmp_path / "raw", (1, 70000, 3), np.dtype(np.uint8), "rgb")
    numbers.path.write_bytes(bytes(70000 * 3))
    with pytest.raises(UserError, match=r"cannot write .*jpg.* \(.+\); pass --format png or tif"):
        packed(numbers, tmp_path / "wide", suffix=".jpg", quality=90)
    assert list(tmp_path.iterdir()) == [numbers.path]


def test_a_disk_without_room_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"3000000000.0 GB do not fit in .*; make room, or set TMPDIR"):
        empty(tmp_path / "raw", (10**9, 10**9, 3), np.dtype(np.uint8), "rgb")
