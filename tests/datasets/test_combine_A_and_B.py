"""Joining two folders side by side, and what is said when they do not match."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.combine_A_and_B import main


def save(path: Path, value: int, size: tuple[int, int] = (8, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 0, 255 - value)).save(path)


@pytest.fixture
def folders(tmp_path):
    for split, names in (("train", ["1.png", "deep/2.png", "3.png"]), ("val", ["1.png"])):
        for number, name in enumerate(names):
            save(tmp_path / "A" / split / name, 10 + number)
            save(tmp_path / "B" / split / name, 200 + number)
    return tmp_path


def files(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def flags(folder: Path, *more: str) -> list[str]:
    return [f"--fold_{x}={folder / x}" for x in ("A", "B", "AB")] + list(more)


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_a_is_left_and_b_is_right_in_every_split(folders, more):
    assert main(flags(folders, *more)) == 0
    assert files(folders / "AB") == ["train/1.png", "train/3.png", "train/deep/2.png", "val/1.png"]
    both = np.asarray(Image.open(folders / "AB" / "train" / "1.png"))
    assert both.shape == (6, 16, 3)
    assert (both[:, :8, 0] == 10).all()
    assert (both[:, 8:, 0] == 200).all()


def test_num_imgs_limits_each_split(folders):
    assert main(flags(folders, "--num_imgs", "1", "--no_multiprocessing")) == 0
    assert len(list((folders / "AB").rglob("*.png"))) == 2


def test_use_ab_pairs_by_ending(tmp_path):
    save(tmp_path / "A/train/x_A.jpg", 10)
    save(tmp_path / "B/train/x_B.jpg", 20)
    assert main(flags(tmp_path, "--use_AB", "--no_multiprocessing")) == 0
    assert [path.name for path in (tmp_path / "AB" / "train").iterdir()] == ["x.jpg"]


@pytest.mark.parametrize(("side", "other"), [("A", "B"), ("B", "A")])
def test_missing_partners_are_listed(folders, capsys, side, other):
    save(folders / side / "train" / "alone.png", 1)
    assert main(flags(folders)) == 2
    message = capsys.readouterr().err
    assert f"1 partner(s) missing in {folders / other / 'train'}: alone.png" in message
    assert message.count("\n") == 1


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_unequal_sizes_are_told_with_both_files(folders, capsys, more):
    save(folders / "B" / "train" / "3.png", 1, size=(9, 6))
    assert main(flags(folders, *more)) == 2
    message = capsys.readouterr().err
    assert f"{folders / 'A/train/3.png'} and {folders / 'B/train/3.png'} differ in size (8x6 and 9x6)" in message
    assert "nothing was written" in message
    assert not (folders / "AB").exists()


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_a_workers_error_is_not_swallowed(folders, capsys, more):
    (folders / "A" / "train" / "3.png").write_bytes(b"no image")
    assert main(flags(folders, *more)) == 2
    assert "cannot read the image" in capsys.readouterr().err
    assert not (folders / "AB" / "train" / "3.png").exists()


def test_folders_that_do_not_fit_are_refused(folders, tmp_path, capsys):
    a, b = str(folders / "A"), str(folders / "B")
    for given, words in (
        ([a, str(tmp_path / "none"), "AB"], "is not a folder"),
        ([a, b, a], "is also --fold_A"),
        ([f"{a}/train", b, "AB"], "has no counterpart"),
        ([f"{a}/val", b, "AB"], "no images under"),
    ):
        assert main(["--fold_A", given[0], "--fold_B", given[1], "--fold_AB", given[2]]) == 2
        assert words in capsys.readouterr().err


def test_use_ab_needs_the_endings(folders, capsys):
    assert main(flags(folders, "--use_AB")) == 2
    assert "does not end in _A.png" in capsys.readouterr().err


def test_num_imgs_below_one_is_refused(folders, capsys):
    assert main(flags(folders, "--num_imgs", "0")) == 2
    assert "--num_imgs 0" in capsys.readouterr().err


def test_partners_may_have_different_endings(tmp_path):
    for a, b in (("1.JPG", "1.png"), ("2.jpg", "2.jpeg"), ("deep/3.bmp", "deep/3.PNG"), ("4.v2.png", "4.v2.png")):
        save(tmp_path / "A/train" / a, 10)
        save(tmp_path / "B/train" / b, 200)
    assert main(flags(tmp_path)) == 0
    assert files(tmp_path / "AB") == ["train/1.png", "train/2.jpg", "train/4.v2.png", "train/deep/3.png"]
    both = np.asarray(Image.open(tmp_path / "AB/train/deep/3.png"))
    assert (both[:, :8, 0] == 10).all()
    assert (both[:, 8:, 0] == 200).all()


def test_a_name_with_two_possible_partners_is_refused(tmp_path, capsys):
    save(tmp_path / "A/train/1.jpg", 10)
    for name in ("1.png", "1.bmp"):
        save(tmp_path / "B/train" / name, 20)
    assert main(flags(tmp_path)) == 2
    assert "may not be partners (1.bmp, 1.png)" in capsys.readouterr().err


def test_equal_names_that_differ_in_their_endings_only_stay_apart(tmp_path):
    for folder, value in (("A", 10), ("B", 20)):
        for name in ("1.png", "1.bmp"):
            save(tmp_path / folder / "train" / name, value)
    assert main(flags(tmp_path)) == 0
    assert files(tmp_path / "AB") == ["train/1.bmp", "train/1.png"]


def test_what_only_looks_like_an_image_is_left_out(folders):
    for name in ("._1.png", ".hidden/5.png", "notes.txt"):
        path = folders / "A" / "train" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"no image")
    assert main(flags(folders)) == 0
    assert len(files(folders / "AB")) == 4


def test_the_folders_may_lie_in_the_one_to_write(folders):
    """The official instructions: --fold_A data/A --fold_B data/B --fold_AB data."""
    given = [f"--fold_A={folders / 'A'}", f"--fold_B={folders / 'B'}", f"--fold_AB={folders}"]
    assert main(given) == 0
    assert main(given) == 0  # once more
    assert len(list((folders / "train").rglob("*.png"))) == 3


@pytest.mark.parametrize("side", ["A", "B"])
def test_pairs_are_not_written_among_the_images(folders, capsys, side):
    given = [f"--fold_A={folders / 'A'}", f"--fold_B={folders / 'B'}", f"--fold_AB={folders / side / 'joined'}"]
    assert main(given) == 2
    assert f"is inside --fold_{side}" in capsys.readouterr().err


def test_a_split_of_b_alone_is_told(folders, capsys):
    save(folders / "B" / "test" / "1.png", 1)
    assert main(flags(folders)) == 2
    assert f"{folders / 'B' / 'test'} has no counterpart {folders / 'A' / 'test'}" in capsys.readouterr().err


def test_works_as_a_script_and_with_processes_that_start_anew(folders):
    """As on macOS and Windows, where a process inherits nothing."""
    script = Path(__file__).resolve().parents[2] / "datasets" / "combine_A_and_B.py"
    code = (
        "import multiprocessing, runpy, sys; multiprocessing.set_start_method('spawn'); "
        f"sys.argv = {[str(script), *flags(folders)]!r}; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folders, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "joined 4 pairs" in done.stdout
    assert len(files(folders / "AB")) == 4
