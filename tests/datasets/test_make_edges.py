"""Edges of photos: where they lie, how they are drawn, how the files are named."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.make_edges import main
from tests.datasets.conftest import Refusal
from tests.images import an_image, write

HAS_SKIMAGE = importlib.util.find_spec("skimage") is not None
needs_skimage = pytest.mark.skipif(not HAS_SKIMAGE, reason="scikit-image is not installed")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A dark square on a light ground, twice, and a photo."""
    square = Image.new("RGB", (40, 30), (220, 200, 210))
    square.paste((20, 40, 30), (10, 8, 30, 22))
    write(square, tmp_path / "photos" / "one.png")
    write(square, tmp_path / "photos" / "deep" / "two.bmp")
    write(an_image(1), tmp_path / "photos" / "photo.jpg")
    return tmp_path / "photos"


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB")).astype(int)


@needs_skimage
@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_outline_of_a_square_becomes_a_black_line(photos: Path, tmp_path: Path, processes: str) -> None:
    assert main([str(photos), "--out", str(tmp_path / "out"), "--processes", processes]) == 0
    made = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*.*"))
    names = ["deep/two.png", "one.png", "photo.png"]
    assert made == [f"train{side}/{name}" for side in "AB" for name in names]
    edges = pixels(tmp_path / "out/trainA/one.png")
    assert set(np.unique(edges)) == {0, 255}
    y, x = np.nonzero(edges[..., 0] == 0)
    distance = np.minimum(np.minimum(abs(x - 9.5), abs(x - 29.5)), np.minimum(abs(y - 7.5), abs(y - 21.5)))
    assert (distance <= 2).all()
    assert 40 <= len(x) <= 80  # of an outline of 68
    assert (pixels(tmp_path / "out/trainB/one.png") == pixels(photos / "one.png")).all()


@needs_skimage
@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_array_is_refused_before_anything_is_written(
    photos: Path, tmp_path: Path, refusal: Refusal, processes: str
) -> None:
    np.save(photos / "z.npy", np.zeros((8, 8, 3), np.uint8))
    assert f"{photos / 'z.npy'} is an NPY array" in refusal(
        main([str(photos), "--out", str(tmp_path / "out"), "--processes", processes])
    )
    assert not (tmp_path / "out").exists()


@needs_skimage
def test_white_lines_are_the_negative_and_pairs_have_edges_left(photos: Path, tmp_path: Path) -> None:
    for line in ("black", "white"):
        given = [str(photos), "--out", str(tmp_path / line), "--split", "val", "--side_by_side", "--line", line]
        assert main(given) == 0
    black, white = (pixels(tmp_path / line / "val" / "one.png") for line in ("black", "white"))
    assert black.shape == (30, 80, 3)
    assert (black[:, :40] == 255 - white[:, :40]).all()
    assert (black[:, 40:] == pixels(photos / "one.png")).all()
    assert 0.01 < (white[:, :40] == 255).mean() < 0.2


@needs_skimage
def test_high_thresholds_and_blur_leave_fewer_lines(photos: Path, tmp_path: Path) -> None:
    counts = []
    for number, flags in enumerate((["--low", "0", "--high", "0.01"], [], ["--low", "0.9", "--high", "1"])):
        assert main([str(photos), "--out", str(tmp_path / str(number)), *flags]) == 0
        counts.append(int((pixels(tmp_path / f"{number}/trainA/photo.png") == 0).sum()))
    assert counts[0] > counts[1] >= counts[2] == 0


@needs_skimage
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--sigma", "0"], "--sigma 0.0 is not above 0"),
        (["--low", "0.3", "--high", "0.2"], "--low 0.3 and --high 0.2"),
        (["--low", "nan"], "--low nan"),
        (["--processes", "0"], "--processes 0 is below 1"),
    ],
)
def test_numbers_out_of_range_are_refused(
    photos: Path, tmp_path: Path, refusal: Refusal, flags: list[str], words: str
) -> None:
    assert words in refusal(main([str(photos), "--out", str(tmp_path / "out"), *flags]))
    assert not (tmp_path / "out").exists()


@needs_skimage
def test_folders_that_do_not_fit_are_refused(photos: Path, tmp_path: Path, refusal: Refusal) -> None:
    out = tmp_path / "out"

    def answer(folder: Path) -> str:
        return refusal(main([str(folder), "--out", str(out)]))

    assert "is not a folder" in answer(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "there are no images" in answer(tmp_path / "empty")
    write(an_image(2), photos / "one.jpg")
    assert f"{photos / 'one.jpg'} and {photos / 'one.png'} would get one name" in answer(photos)
    (photos / "one.jpg").unlink()
    write(an_image(2), out / "trainB" / "mine.png")
    assert f"{out / 'trainB'} is not empty" in answer(photos)


def test_without_scikit_image_one_sentence_says_what_to_install(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "skimage" else find(name, *rest)
    )
    assert "pip install scikit-image" in refusal(main([str(photos), "--out", str(tmp_path / "out")]))
