"""trainA and trainB into train: by name, by order with a warning, or not at all."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.make_dataset_aligned import main
from tests.datasets.conftest import Refusal
from tests.images import an_image, files_below, flat, write_unaligned


def halves(path: Path) -> tuple[int, int]:
    pixels = np.asarray(Image.open(path))
    return int(pixels[0, 0, 0]), int(pixels[0, -1, 0])


def test_images_of_one_name_are_joined_whatever_their_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number, name in enumerate(("a", "deep/b", "c")):
        flat(tmp_path / "trainA" / f"{name}.png", 10 + number)
        flat(tmp_path / "trainB" / f"{name}.bmp", 200 + number)  # sorts elsewhere
        flat(tmp_path / "testA" / f"{name}.png", 50 + number)
        flat(tmp_path / "testB" / f"{name}.png", 150 + number)
    assert main(["--dataset-path", str(tmp_path), "--processes", "1"]) == 0
    assert files_below(tmp_path / "train") == ["a.png", "c.png", "deep/b.png"]
    assert halves(tmp_path / "train" / "c.png") == (12, 202)
    assert halves(tmp_path / "test" / "deep" / "b.png") == (51, 151)
    assert "warning" not in capsys.readouterr().err


def test_the_names_of_the_official_cityscapes_set_belong_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (0, 1, 2, 10):
        flat(tmp_path / "trainA" / f"{number}_A.png", number)
        flat(tmp_path / "trainB" / f"{number}_B.png", 100 + number)
    assert main(["--dataset-path", str(tmp_path)]) == 0
    assert files_below(tmp_path / "train") == ["0.png", "1.png", "10.png", "2.png"]
    assert halves(tmp_path / "train" / "10.png") == (10, 110)
    assert "warning" not in capsys.readouterr().err


def test_other_names_are_paired_in_order_with_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_unaligned(tmp_path)  # a0.png and b0.png, with val
    assert main(["--dataset-path", str(tmp_path)]) == 0
    message = capsys.readouterr().err
    assert message.count("warning: the names in") == 3
    assert f"{tmp_path / 'trainA' / 'a0.png'} with {tmp_path / 'trainB' / 'b0.png'}" in message
    assert files_below(tmp_path / "val") == ["a0.png", "a1.png"]
    both = np.asarray(Image.open(tmp_path / "train" / "a2.png"))
    assert (both[:, 40:] == np.asarray(an_image(102))).all()


def test_a_name_that_fits_nowhere_among_names_that_fit_is_no_matter_of_order(tmp_path: Path, refusal: Refusal) -> None:
    for name in ("1", "2", "3"):
        flat(tmp_path / "trainA" / f"{name}.png", 1)
        flat(tmp_path / "trainB" / f"{name.replace('2', '4')}.png", 2)
    assert f"1 partner(s) missing in {tmp_path / 'trainB'}: 2.png" in refusal(main(["--dataset-path", str(tmp_path)]))
    assert not (tmp_path / "train").exists()


def test_a_second_run_replaces_the_first_but_nothing_else(tmp_path: Path, refusal: Refusal) -> None:
    for side in "AB":
        flat(tmp_path / f"train{side}" / "1.png", 1)
    assert main(["--dataset-path", str(tmp_path)]) == 0
    assert main(["--dataset_path", str(tmp_path)]) == 0
    flat(tmp_path / "train" / "mine.png", 3)
    assert "already holds other images (such as mine.png)" in refusal(main(["--dataset-path", str(tmp_path)]))


def test_folders_that_do_not_fit_are_refused(tmp_path: Path, refusal: Refusal) -> None:
    def answer() -> str:
        return refusal(main(["--dataset-path", str(tmp_path / "set")]))

    assert "is not a folder" in answer()
    (tmp_path / "set").mkdir()
    assert "there is no trainA or testA" in answer()
    (tmp_path / "set" / "trainA").mkdir()
    assert f"has no counterpart {tmp_path / 'set' / 'trainB'}" in answer()
    (tmp_path / "set" / "trainB").mkdir()
    assert "there are no images" in answer()
    flat(tmp_path / "set" / "trainA" / "1.png", 1)
    assert "holds 1 images and" in answer()
