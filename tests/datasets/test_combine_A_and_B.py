"""Joining two folders side by side, and what is said when they do not match."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.combine_A_and_B import main
from tests.datasets.conftest import Refusal, folds
from tests.images import files_below, flat


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for split, names in (("train", ["1.png", "deep/2.png", "3.png"]), ("val", ["1.png"])):
        for number, name in enumerate(names):
            flat(tmp_path / "A" / split / name, 10 + number)
            flat(tmp_path / "B" / split / name, 200 + number)
    return tmp_path


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_a_is_left_and_b_is_right_in_every_split(folders: Path, more: list[str]) -> None:
    assert main(folds(folders, *more)) == 0
    assert files_below(folders / "AB") == ["train/1.png", "train/3.png", "train/deep/2.png", "val/1.png"]
    both = np.asarray(Image.open(folders / "AB" / "train" / "1.png"))
    assert both.shape == (6, 16, 3)
    assert (both[:, :8, 0] == 10).all()
    assert (both[:, 8:, 0] == 200).all()


def test_num_imgs_limits_each_split(folders: Path) -> None:
    assert main(folds(folders, "--num_imgs", "1", "--no_multiprocessing")) == 0
    assert len(list((folders / "AB").rglob("*.png"))) == 2


def test_use_ab_pairs_by_ending(tmp_path: Path) -> None:
    flat(tmp_path / "A/train/x_A.jpg", 10)
    flat(tmp_path / "B/train/x_B.jpg", 20)
    assert main(folds(tmp_path, "--use_AB", "--no_multiprocessing")) == 0
    assert [path.name for path in (tmp_path / "AB" / "train").iterdir()] == ["x.jpg"]


@pytest.mark.parametrize(("side", "other"), [("A", "B"), ("B", "A")])
def test_missing_partners_are_listed(folders: Path, refusal: Refusal, side: str, other: str) -> None:
    flat(folders / side / "train" / "alone.png", 1)
    assert f"1 partner(s) missing in {folders / other / 'train'}: alone.png" in refusal(main(folds(folders)))


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_unequal_sizes_are_told_with_both_files(folders: Path, refusal: Refusal, more: list[str]) -> None:
    flat(folders / "B" / "train" / "3.png", 1, size=(9, 6))
    message = refusal(main(folds(folders, *more)))
    assert f"{folders / 'A/train/3.png'} and {folders / 'B/train/3.png'} differ in size (8x6 and 9x6)" in message
    assert "nothing was written" in message
    assert not (folders / "AB").exists()


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_a_workers_error_is_not_swallowed(folders: Path, refusal: Refusal, more: list[str]) -> None:
    (folders / "A" / "train" / "3.png").write_bytes(b"no image")
    assert "cannot read the image" in refusal(main(folds(folders, *more)))
    assert not (folders / "AB" / "train" / "3.png").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("A none AB", "none is not a folder"),
        ("A B A", "is also --fold_A"),
        ("A B A/joined", "is inside --fold_A"),
        ("A B B/joined", "is inside --fold_B"),
        ("A/train B AB", "has no counterpart"),
        ("A/val B AB", "no images under"),
        ("A B AB --use_AB", "does not end in _A.png"),
        ("A B AB --num_imgs 0", "--num_imgs 0"),
        ("A more AB", "more/test has no counterpart A/test"),
    ],
)
def test_wrong_use_is_one_sentence(
    folders: Path, refusal: Refusal, monkeypatch: pytest.MonkeyPatch, words: str, message: str
) -> None:
    monkeypatch.chdir(folders)
    for split in ("train", "val", "test"):
        flat(Path("more", split, "1.png"), 1)
    a, b, ab, *more = words.split()
    assert message in refusal(main(["--fold_A", a, "--fold_B", b, "--fold_AB", ab, *more]))


def test_partners_may_have_different_endings(tmp_path: Path) -> None:
    for a, b in (("1.JPG", "1.png"), ("2.jpg", "2.jpeg"), ("deep/3.bmp", "deep/3.PNG"), ("4.v2.png", "4.v2.png")):
        flat(tmp_path / "A/train" / a, 10)
        flat(tmp_path / "B/train" / b, 200)
    assert main(folds(tmp_path)) == 0
    assert files_below(tmp_path / "AB") == ["train/1.png", "train/2.jpg", "train/4.v2.png", "train/deep/3.png"]
    both = np.asarray(Image.open(tmp_path / "AB/train/deep/3.png"))
    assert (both[:, :8, 0] == 10).all()
    assert (both[:, 8:, 0] == 200).all()


def test_a_name_with_two_possible_partners_is_refused(tmp_path: Path, refusal: Refusal) -> None:
    flat(tmp_path / "A/train/1.jpg", 10)
    for name in ("1.png", "1.bmp"):
        flat(tmp_path / "B/train" / name, 20)
    assert "may not be partners (1.bmp, 1.png)" in refusal(main(folds(tmp_path)))


def test_equal_names_that_differ_in_their_endings_only_stay_apart(tmp_path: Path) -> None:
    for folder, value in (("A", 10), ("B", 20)):
        for name in ("1.png", "1.bmp"):
            flat(tmp_path / folder / "train" / name, value)
    assert main(folds(tmp_path)) == 0
    assert files_below(tmp_path / "AB") == ["train/1.bmp", "train/1.png"]


def test_the_folders_may_lie_in_the_one_to_write(folders: Path) -> None:
    """The official instructions: --fold_A data/A --fold_B data/B --fold_AB data."""
    given = [f"--fold_A={folders / 'A'}", f"--fold_B={folders / 'B'}", f"--fold_AB={folders}"]
    assert main(given) == 0
    assert main(given) == 0  # once more
    assert len(list((folders / "train").rglob("*.png"))) == 3


def test_works_as_a_script_and_with_processes_that_start_anew(folders: Path) -> None:
    """As on macOS and Windows, where a process inherits nothing."""
    script = Path(__file__).resolve().parents[2] / "datasets" / "combine_A_and_B.py"
    code = (
        "import multiprocessing, runpy, sys; multiprocessing.set_start_method('spawn'); "
        f"sys.argv = {[str(script), *folds(folders)]!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folders, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "joined 4 pairs" in done.stdout
    assert len(files_below(folders / "AB")) == 4
