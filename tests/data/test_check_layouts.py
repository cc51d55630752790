"""What a check makes of folders that lack something, or hold what nobody reads."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from data.check import check, main
from tests.images import an_image, fill, write


def spoil(root: Path, name: str) -> None:
    """Empty a folder."""
    for path in (root / name).iterdir():
        path.unlink()


LAYOUTS: dict[str, tuple[Callable[[Path], object], tuple[str, str, str]]] = {
    "an empty folder to train with": (lambda root: spoil(root, "trainB"), ("problem", "empty", "no images in")),
    "an empty folder to test with": (lambda root: spoil(root, "testA"), ("warning", "empty", "no images in")),
    "a side alone": (
        lambda root: (root / "trainB").rename(root / "valB"),
        ("problem", "side", "there is trainA but no trainB"),
    ),
    "other folders": (
        lambda root: fill(root, "sketches/x.png"),
        ("note", "not_looked_at", "no phase is named so: sketches"),
    ),
    "two endings": (
        lambda root: write(Image.new("RGB", (40, 36)), root / "trainA" / "0.bmp"),
        ("problem", "twice", "1 names in trainA and trainB with several files"),
    ),
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Pairs to train and to test with."""
    for number, folder in enumerate(("trainA", "trainB", "testA", "testB")):
        for index in range(2):
            write(an_image(10 * number + index), tmp_path / "set" / folder / f"{index}.png")
    return tmp_path / "set"


@pytest.mark.parametrize("name", LAYOUTS)
def test_what_is_odd_about_a_layout_is_found(root: Path, name: str) -> None:
    act, (level, kind, words) = LAYOUTS[name]
    act(root)
    found = check(str(root), processes=1, mode="aligned").findings
    assert [(one.level, words in one.text) for one in found if one.kind == kind] == [(level, True)]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--dataroot", "nowhere"], "no folder nowhere"),
        (["--dataroot", "hollow"], "there are no images in"),
        (["--dataroot", "nowhere.csv"], "there is no file nowhere.csv"),
        (["--threads", "0"], "--threads 0 is below"),
        (["--json", "none/x.json"], "No such file or directory"),
        (["--sheet_images", "0"], "--sheet_images 0 is below 1"),
    ],
)
def test_wrong_use_ends_with_a_sentence(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    monkeypatch.chdir(root.parent)
    Path("hollow/trainA").mkdir(parents=True)
    assert main(["--dataroot", str(root), "--no_sheet", *flags]) == 2
    message = capsys.readouterr().err
    assert words in message
    assert message.count("\n") == 1


def test_ctrl_c_ends_with_a_word(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def pressed(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("data.check.check", pressed)
    assert main(["--dataroot", "any"]) == 130
    assert capsys.readouterr().err == "check: stopped\n"


def test_of_many_bad_files_some_are_named_and_pairs_without_a_whole_one_get_no_sheet(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("testA", "testB"):
        shutil.rmtree(root / name)
    spoil(root, "trainA")
    fill(root, *(f"trainA/{index}.png" for index in range(7)))
    flags = ["--dataset_mode", "aligned", "--sheet", f"{root}/look.png", "--move_bad", f"{root.parent}/bad"]
    assert main(["--dataroot", str(root), "--threads", "1", *flags]) == 1
    said = capsys.readouterr().out
    assert "and 2 more (--json FILE names all)" in said
    assert "moved 7 files" in said
    assert not (root / "look.png").exists()


@pytest.mark.parametrize(
    ("levels", "flags"),
    [
        (np.array([-5, 7], np.int16), "--input_nc 1 --value_range=-5,7"),
        (np.array([0, 3], np.float32), "--input_nc 1 --value_range=0,3"),
        (np.array([[0, 0, 0, 9], [1, 2, 3, 4]], np.uint8), "--input_nc 4"),
    ],
)
def test_flags_fit_signed_numbers_zeros_and_transparency(tmp_path: Path, levels: Any, flags: str) -> None:
    (tmp_path / "trainA").mkdir()
    if levels.ndim == 1:
        np.save(tmp_path / "trainA" / "x.npy", levels[None])
    else:
        Image.fromarray(levels[None]).save(tmp_path / "trainA" / "x.png")
    assert check(str(tmp_path), processes=1).command.endswith(f"--dataset_mode unaligned {flags}")
