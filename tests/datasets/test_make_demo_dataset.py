"""The demo data set: same seed, same bytes; stripes only on the body; clear refusals."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.canvas import Label
from datasets.demo_image import draw_image
from datasets.make_demo_dataset import main
from tests.datasets.conftest import Refusal, failing

ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--size", "32", "--train", "6", "--test", "3"]


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


@pytest.mark.parametrize("kind", ["unpaired", "paired"])
def test_equal_seeds_give_equal_bytes_and_other_seeds_other_images(tmp_path: Path, kind: str) -> None:
    for name, seed in (("one", "3"), ("two", "3"), ("other", "4")):
        assert main([str(tmp_path / name), "--kind", kind, *SMALL, "--seed", seed]) == 0
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    assert not set(digests(tmp_path / "one").values()) & set(digests(tmp_path / "other").values())


def test_unpaired_has_four_folders_of_different_scenes(tmp_path: Path) -> None:
    assert main([str(tmp_path), *SMALL]) == 0
    found = digests(tmp_path)
    counts = {name: len(list((tmp_path / name).iterdir())) for name in ("trainA", "trainB", "testA", "testB")}
    assert counts == {"trainA": 6, "trainB": 6, "testA": 3, "testB": 3}
    assert len(set(found.values())) == len(found)
    assert {Image.open(tmp_path / name).size for name in found} == {(32, 32)}
    for path in (tmp_path / "trainA").iterdir():
        top_rows = pixels(path)[:3], pixels(tmp_path / "trainB" / path.name)[:3]
        assert np.abs(top_rows[0] - top_rows[1]).mean() > 1


def test_test_pairs_are_equal_but_for_dark_stripes_on_the_creature(tmp_path: Path) -> None:
    main([str(tmp_path), "--size", "64", "--train", "0", "--test", "12"])
    for path in sorted((tmp_path / "testA").iterdir()):
        plain, striped = pixels(path), pixels(tmp_path / "testB" / path.name)
        changed = (plain != striped).any(axis=2)
        assert 0.01 < changed.mean() < 0.35, path.name
        assert striped[changed].sum() < plain[changed].sum()
        border = np.ones_like(changed)
        border[1:-1, 1:-1] = False
        assert not changed[border].any()


def test_stripes_leave_background_and_eyes_alone() -> None:
    body = {label.colour for label in (Label.BODY, Label.LEG, Label.HEAD, Label.TAIL)}
    for seed in range(12):
        drawn = draw_image(np.random.default_rng(seed), 64)
        plain, striped = (np.asarray(drawn.label_map(striped=flag)) for flag in (False, True))
        changed = (plain != striped).any(axis=2)
        assert {tuple(int(v) for v in colour) for colour in plain[changed]} <= body
        assert {tuple(int(v) for v in colour) for colour in striped[changed]} == {Label.STRIPE.colour}


def test_paired_puts_image_left_and_flat_labels_right(tmp_path: Path) -> None:
    assert main([str(tmp_path), "--kind", "paired", *SMALL]) == 0
    counts = {name: len(list((tmp_path / name).iterdir())) for name in ("train", "val", "test")}
    assert counts == {"train": 6, "val": 3, "test": 3}
    for path in (tmp_path / "train").iterdir():
        both = pixels(path)
        assert both.shape == (32, 64, 3)
        colours = {tuple(int(v) for v in colour) for colour in both[:, 32:].reshape(-1, 3)}
        assert colours <= {label.colour for label in Label}
        assert len({tuple(colour) for colour in both[:, :32].reshape(-1, 3)}) > len(colours)


def test_every_label_has_its_own_colour() -> None:
    assert len({label.colour for label in Label}) == len(Label)


def test_a_second_run_replaces_the_first_and_leaves_nothing_behind(tmp_path: Path) -> None:
    main([str(tmp_path), *SMALL])
    assert main([str(tmp_path), "--size", "32", "--train", "2", "--test", "1"]) == 0
    assert len(digests(tmp_path)) == 6


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--size", "16"], "--size 16 is outside 32"),
        (["--train", "-1"], "--train -1 is negative"),
        (["--test", "-2"], "--test -2 is negative"),
        (["--seed", "-3"], "--seed -3 is negative"),
        (["--test", "100000"], "--test 100000 must be below 100000"),
    ],
)
def test_numbers_out_of_range_are_refused_in_one_line(
    tmp_path: Path, refusal: Refusal, flags: list[str], words: str
) -> None:
    assert words in refusal(main([str(tmp_path / "out"), *flags]))
    assert not (tmp_path / "out").exists()


def test_foreign_files_are_never_overwritten(tmp_path: Path, refusal: Refusal) -> None:
    main([str(tmp_path), *SMALL])
    (tmp_path / "testB" / "holiday.jpg").write_bytes(b"mine")
    before = digests(tmp_path)
    assert "holiday.jpg" in refusal(main([str(tmp_path), *SMALL, "--seed", "9"]))
    assert digests(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert "cannot create the folder" in refusal(main([str(tmp_path / "file" / "out"), *SMALL]))


def test_a_folder_that_may_not_be_emptied_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    main([str(tmp_path), *SMALL])
    monkeypatch.setattr(Path, "unlink", failing(OSError(13, "Permission denied")))
    assert f"cannot write to {tmp_path} (Permission denied)" in refusal(main([str(tmp_path), *SMALL]))
