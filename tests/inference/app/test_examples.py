"""Images of a run's own data set."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from inference.app.examples import find_examples
from tests.images import an_image, side_by_side, write, write_aligned, write_colour, write_unaligned


def levels(number: int) -> npt.NDArray[np.uint8]:
    return np.asarray(an_image(number))


def test_unpaired_sets_give_images_of_the_side_that_a_direction_starts_from(tmp_path: Path) -> None:
    options = {"dataroot": str(write_unaligned(tmp_path / "set")), "dataset_mode": "unaligned"}
    forth, back = (find_examples(options, direction, 8) for direction in ("AtoB", "BtoA"))
    assert [Path(one.path).name for one in forth] == ["a0.png", "a1.png"]
    assert [Path(one.path).name for one in back] == ["b0.png", "b1.png"]
    assert Path(forth[0].path).parent.name == "testA"
    assert np.array_equal(forth[1].image().levels, levels(1))
    assert forth[1].partner() is None


@pytest.mark.parametrize("folders", [False, True])
@pytest.mark.parametrize(("direction", "first"), [("AtoB", 0), ("BtoA", 100)])
def test_pairs_side_by_side_or_in_two_folders_are_partners(
    direction: str, first: int, folders: bool, tmp_path: Path
) -> None:
    if folders:
        for number in range(2):
            write(an_image(number), tmp_path / "set" / "trainA" / f"{number}.png")
            write(an_image(100 + number), tmp_path / "set" / "trainB" / f"{number}.png")
    else:
        write_aligned(tmp_path / "set")
    options = {"dataroot": str(tmp_path / "set"), "dataset_mode": "aligned", "direction": "BtoA"}
    example = find_examples(options, direction, 8)[1]
    partner = example.partner()
    assert partner is not None
    assert np.array_equal(example.image().levels, levels(first + 1))
    assert np.array_equal(partner.levels, levels(101 - first))


def test_colour_images_are_their_own_partners(tmp_path: Path) -> None:
    options = {"dataroot": str(write_colour(tmp_path / "set")), "dataset_mode": "colorization"}
    example = find_examples(options, "AtoB", 1)[0]
    assert example.truth == example.path


def test_few_of_many_are_spread_evenly(tmp_path: Path) -> None:
    for number in range(10):
        write(side_by_side(an_image(number), an_image(number)), tmp_path / "val" / f"{number}.png")
    found = find_examples({"dataroot": str(tmp_path), "dataset_mode": "aligned"}, "AtoB", 3)
    assert [Path(one.path).stem for one in found] == ["1", "5", "8"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dataroot": "/nowhere/at/all", "dataset_mode": "aligned"},
        {"dataroot": ".", "dataset_mode": "aligned"},
        {"dataroot": ".", "dataset_mode": "webdataset"},
    ],
)
def test_without_the_data_there_are_none(
    options: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_examples(options, "AtoB", 8) == []


def test_stacked_folders_give_none(tmp_path: Path) -> None:
    for folder in ("testA1", "testA2", "testB"):
        write(Image.new("L", (8, 8)), tmp_path / folder / "0.png")
    assert find_examples({"dataroot": str(tmp_path), "dataset_mode": "unaligned"}, "AtoB", 8) == []
