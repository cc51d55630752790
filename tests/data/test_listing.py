"""Lists in the place of folders: what a ``.csv`` or ``.txt`` may say, and what is wrong with it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from options.errors import UserError
from tests.images import an_image, write
from tests.loading import build_whole, file_names, sample_of

WriteList = Callable[..., Path]


@pytest.fixture
def listed(tmp_path: Path) -> WriteList:
    """Write a list beside the images a1, a2, b1 and b2; return its path."""
    for seed, name in enumerate(("a1", "a2", "b1", "b2")):
        write(an_image(seed), tmp_path / f"{name}.png")

    def write_list(text: str, name: str = "p.csv") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write_list


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_rows_of_a_csv_are_pairs_and_its_folder_is_where_they_start(
    listed: WriteList, tmp_path: Path, separator: str
) -> None:
    rows = [("A", "B"), ("a2.png", "b1.png"), (str(tmp_path / "a1.png"), "b2.png")]
    pairs = listed("\n".join(separator.join(row) for row in rows))
    assert file_names(build_whole(pairs)) == [("a2.png", "b1.png"), ("a1.png", "b2.png")]


@pytest.mark.parametrize(
    "text",
    ["A,B,phase\na1.png,b1.png,train\na2.png,b2.png,val\n", "AB,phase,batch\na1.png,train,1\na2.png,val,2\n"],
    ids=["two images", "side by side"],
)
def test_a_column_names_the_phase(listed: WriteList, text: str) -> None:
    pairs = listed(text)
    for phase, name in (("train", "a1.png"), ("val", "a2.png")):
        assert [A for A, _ in file_names(build_whole(pairs, phase=phase))] == [name]
    with pytest.raises(UserError, match="names no images of phase test"):
        build_whole(pairs, phase="test")


def test_a_list_without_phases_holds_nothing_out(listed: WriteList) -> None:
    pairs = listed("A,B\na1.png,b1.png\na2.png,b2.png\n")
    assert len(build_whole(pairs)) == 2
    with pytest.raises(UserError, match="no column phase, which would say which images are of phase val"):
        build_whole(pairs, phase="val")


def test_an_empty_cell_is_a_missing_partner_but_not_in_unpaired_data(listed: WriteList) -> None:
    pairs = listed("A,B\na1.png,b1.png\na2.png,\n")
    with pytest.raises(UserError, match=r"1 files have no partner: a2\.png"):
        build_whole(pairs)
    assert file_names(build_whole(pairs, "--on_missing_partner skip")) == [("a1.png", "b1.png")]
    assert len(build_whole(pairs, mode="unaligned")) == 2
    with pytest.raises(UserError, match=r"no row of .*p\.csv has all of A, B; pairs need every cell"):
        build_whole(listed("A,B\na1.png,\n,b2.png\n"), "--on_missing_partner skip")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("left,right\nx,y\n", r"p\.csv has no column A, only left, right"),
        ("A,B\na1.png,b1.png,b2.png\n", r"line 2 of .*p\.csv has 3 cells, but the first line names 2"),
        (
            "A,B,phase\na1.png,b1.png,train\na2.png,b2.png,\n",
            r"line 3 of .*p\.csv names no phase; write train, val or test there",
        ),
    ],
)
def test_what_is_wrong_with_a_table_is_named(listed: WriteList, text: str, words: str) -> None:
    with pytest.raises(UserError, match=words):
        build_whole(listed(text), mode="unaligned")


def test_a_list_of_inputs_needs_a_column_of_paths(listed: WriteList) -> None:
    with pytest.raises(UserError, match=r"p\.csv has no column PATH, only left, right"):
        build_whole(listed("left,right\nx,y\n"), mode="single")


def test_a_list_that_is_no_text_or_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match=r"cannot read the list .*list\.txt"):
        build_whole(tmp_path / "list.txt", mode="single")
    with pytest.raises(UserError, match=r"there is no file .*nothing\.csv; check --dataroot"):
        build_whole(tmp_path / "nothing.csv")


def test_text_files_stand_in_for_folders(listed: WriteList, tmp_path: Path) -> None:
    listed("a2.png\n\na1.png\n", "trainA.txt")
    listed("\ufeffb1.png\r\n", "trainB.txt")
    assert [A for A, _ in file_names(build_whole(tmp_path, mode="unaligned"))] == ["a2.png", "a1.png"]


def test_a_text_file_names_single_images_and_pairs_side_by_side(listed: WriteList) -> None:
    path = listed("b2.png\na1.png\n", "list.txt")
    assert [A for A, _ in file_names(build_whole(path, mode="single"))] == ["b2.png", "a1.png"]
    assert sample_of(build_whole(path)).A.shape == (3, 36, 20)


def test_a_file_that_is_not_there_is_named_when_it_is_wanted(listed: WriteList) -> None:
    error = build_whole(listed("nothing.png\n", "list.txt"), mode="single")[1, 0]
    assert isinstance(error, UserError)
    assert "nothing.png" in str(error)


def test_more_than_nine_columns_are_stacked_in_the_order_of_their_numbers(listed: WriteList, tmp_path: Path) -> None:
    numbers = range(1, 12)
    for number in numbers:
        write(Image.new("L", (6, 5), number), tmp_path / f"{number}.png")
    header = ",".join([*(f"A{number}" for number in reversed(numbers)), "B"])
    row = ",".join([*(f"{number}.png" for number in reversed(numbers)), "1.png"])
    sample = sample_of(build_whole(listed(f"{header}\n{row}\n"), "--input_nc 11 --output_nc 1"))
    assert sample.A[:, 0, 0].tolist() == list(numbers)
