"""Joining two folders side by side, and what is said when they do not match."""

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


def flags(folder: Path, *more: str) -> list[str]:
    return [f"--fold_{x}={folder / x}" for x in ("A", "B", "AB")] + list(more)


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_a_is_left_and_b_is_right_in_every_split(folders, more):
    assert main(flags(folders, *more)) == 0
    written = sorted(str(path.relative_to(folders / "AB")) for path in (folders / "AB").rglob("*.*"))
    assert written == ["train/1.png", "train/3.png", "train/deep/2.png", "val/1.png"]
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
    assert "differ in size (8x6 and 9x6)" in capsys.readouterr().err


@pytest.mark.parametrize("more", [[], ["--no_multiprocessing"]])
def test_a_workers_error_is_not_swallowed(folders, capsys, more):
    (folders / "A" / "train" / "3.png").write_bytes(b"no picture")
    assert main(flags(folders, *more)) == 2
    assert "cannot read the picture" in capsys.readouterr().err
    assert not (folders / "AB" / "train" / "3.png").exists()


def test_folders_that_do_not_fit_are_refused(folders, tmp_path, capsys):
    a, b = str(folders / "A"), str(folders / "B")
    for given, words in (
        ([a, str(tmp_path / "none"), "AB"], "is not a folder"),
        ([a, b, a], "is also --fold_A"),
        ([f"{a}/train", b, "AB"], "has no counterpart"),
        ([f"{a}/val", b, "AB"], "no pictures under"),
    ):
        assert main(["--fold_A", given[0], "--fold_B", given[1], "--fold_AB", given[2]]) == 2
        assert words in capsys.readouterr().err


def test_use_ab_needs_the_endings(folders, capsys):
    assert main(flags(folders, "--use_AB")) == 2
    assert "does not end in _A.png" in capsys.readouterr().err


def test_num_imgs_below_one_is_refused(folders, capsys):
    assert main(flags(folders, "--num_imgs", "0")) == 2
    assert "--num_imgs 0" in capsys.readouterr().err
