"""Splitting folders: every image once, partners together, the same every time, all or nothing."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from datasets import split as split_module
from datasets.split import main
from tests.datasets.conftest import Refusal, failing
from tests.images import files_below, flat
from util.raster.kinds import EXTENSIONS


def fill(folder: Path, names: list[str]) -> Path:
    for number, name in enumerate(names):
        flat(folder / name, number, (2, 1))
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return fill(tmp_path / "photos", [f"{'deep/' * (i % 2)}{i}.png" for i in range(40)])


def run(*words: object) -> int:
    return main([str(word) for word in words])


def test_every_image_is_in_one_split(photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: (photos / name).read_bytes() for name in files_below(photos)}
    assert run(photos, "--out", tmp_path / "out", "--fractions", 0.7, 0.1, 0.2) == 0
    parts = {name: files_below(tmp_path / "out" / name) for name in ("train", "val", "test")}
    assert {name: len(part) for name, part in parts.items()} == {"train": 28, "val": 4, "test": 8}
    assert sorted(sum(parts.values(), [])) == sorted(before)
    for part, names in parts.items():
        assert all((tmp_path / "out" / part / name).read_bytes() == before[name] for name in names)
    assert {name: (photos / name).read_bytes() for name in files_below(photos)} == before
    assert "train 28, val 4, test 8" in capsys.readouterr().out
    assert sorted(os.listdir(tmp_path / "out")) == ["test", "train", "val"]


def test_every_kind_of_file_that_trainings_read_is_split(tmp_path: Path) -> None:
    names = [f"deep/{number}{ending}" for number, ending in enumerate([*EXTENSIONS, ".NPY", ".WebP"])]
    (tmp_path / "in/deep").mkdir(parents=True)
    for name in [*names, "deep/notes.txt"]:
        (tmp_path / "in" / name).write_bytes(name.encode())
    assert run(tmp_path / "in", "--out", tmp_path / "out", "--fractions", 0.5, 0, 0.5) == 0
    made = {path.name: path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert made == {Path(name).name: name.encode() for name in names}


def test_the_seed_alone_decides(photos: Path, tmp_path: Path) -> None:
    for name, seed in (("one", 0), ("two", 0), ("other", 1)):
        assert run(photos, "--out", tmp_path / name, "--seed", seed) == 0
    assert files_below(tmp_path / "one") == files_below(tmp_path / "two")
    assert files_below(tmp_path / "one") != files_below(tmp_path / "other")


def test_partners_stay_together(tmp_path: Path) -> None:
    names = [f"x/{i}" for i in range(20)]
    a, b = fill(tmp_path / "a", [f"{n}.jpg" for n in names]), fill(tmp_path / "b", [f"{n}.png" for n in names])
    assert run(a, b, "--out", tmp_path / "out", "--fractions", 0.5, 0, 0.5) == 0
    assert sorted(os.listdir(tmp_path / "out")) == ["testA", "testB", "trainA", "trainB"]
    for part in ("train", "test"):
        left, right = (files_below(tmp_path / "out" / f"{part}{side}") for side in "AB")
        assert len(left) == 10
        assert [Path(name).stem for name in left] == [Path(name).stem for name in right]


def test_unpaired_folders_are_split_each_for_itself(photos: Path, tmp_path: Path) -> None:
    other = fill(tmp_path / "other", [f"z{i}.png" for i in range(10)])
    assert run(photos, other, "--unpaired", "--out", tmp_path / "out") == 0
    counts = {name: len(files_below(tmp_path / "out" / name)) for name in os.listdir(tmp_path / "out")}
    assert counts == {"trainA": 32, "valA": 4, "testA": 4, "trainB": 8, "valB": 1, "testB": 1}


@pytest.mark.parametrize("link", ["symlink", "hardlink"])
def test_links_instead_of_copies(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("photos", "--out", "out", "--link", link) == 0
    made = [tmp_path / "out" / name for name in files_below(tmp_path / "out")]
    assert len(made) == 40
    for path in made:
        assert path.is_symlink() == (link == "symlink")
        assert path.samefile(
            photos / path.relative_to(tmp_path / "out").relative_to(path.parts[len(tmp_path.parts) + 1])
        )


def test_nothing_is_overwritten(photos: Path, tmp_path: Path, refusal: Refusal) -> None:
    mine = fill(tmp_path / "out", ["val/mine.png"])
    assert f"{mine / 'val'} exists already" in refusal(run(photos, "--out", mine))
    assert files_below(mine) == ["val/mine.png"]


def test_a_full_disk_leaves_nothing(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    copied: list[Path] = []

    def copy(source: Path, target: Path) -> None:
        if len(copied) == 25:
            raise OSError(28, "No space left on device")
        copied.append(Path(shutil.copyfile(source, target)))

    monkeypatch.setitem(split_module.LINKS, "copy", copy)
    assert "No space left on device" in refusal(run(photos, "--out", tmp_path / "out"))
    assert len(copied) == 25
    assert os.listdir(tmp_path / "out") == []


def test_hard_links_to_another_disk_are_no_links(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    monkeypatch.setattr(os, "link", failing(OSError(errno.EXDEV, "Invalid cross-device link")))
    message = refusal(run(photos, "--out", tmp_path / "out", "--link", "hardlink"))
    assert "are on different disks, so they cannot be hard links; use --link symlink" in message


def test_a_place_that_refuses_is_named(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    monkeypatch.setattr(split_module, "UNFINISHED", "x" * 300)
    assert f"cannot write to {tmp_path / 'out'} (File name too long)" in refusal(run(photos, "--out", tmp_path / "out"))


def test_a_failing_rename_takes_the_others_back(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    rename = os.rename

    def stubborn(source: Path, target: Path) -> None:
        if Path(target).name == "test":
            raise OSError(13, "Permission denied")
        rename(source, target)

    monkeypatch.setattr(os, "rename", stubborn)
    assert "nothing is left there" in refusal(run(photos, "--out", tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == []


def test_a_killed_split_is_told(photos: Path, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "out" / ".split-unfinished").mkdir(parents=True)
    assert "is left of a split that was killed" in refusal(run(photos, "--out", tmp_path / "out"))
    assert os.listdir(tmp_path / "out") == [".split-unfinished"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["none", "--out", "out"], "is not a folder"),
        (["empty", "--out", "out"], "there are no images in empty"),
        (["photos", "--out", "photos/out"], "is inside photos"),
        (["photos", "empty", "photos", "--out", "out"], "3 folders are given"),
        (["photos", "--unpaired", "--out", "out"], "--unpaired needs two folders"),
        (["photos", "--out", "out", "--fractions", "0.8", "0.1", "0.2"], "sum to 1"),
        (["photos", "--out", "out", "--fractions", "1.2", "-0.1", "-0.1"], "sum to 1"),
        (["photos", "--out", "out", "--fractions", "nan", "0.5", "0.5"], "sum to 1"),
        (["photos", "--out", "out", "--fractions", "0.99", "0.005", "0.005"], "leaves nothing for val of 40"),
        (["photos", "lonely", "--out", "out"], "partner(s) missing in lonely"),
    ],
)
def test_mistakes_are_one_sentence_and_change_nothing(
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refusal: Refusal,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    fill(tmp_path / "lonely", ["0.png"])
    before = files_below(tmp_path)
    assert message in refusal(run(*words))
    assert files_below(tmp_path) == before
