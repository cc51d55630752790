"""Where A and B may lie: side by side, in two folders, in stacks, in lists; with links, sub-folders, any names."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from data.base import TranslationDataset
from data.batch import Sample
from data.registry import create_dataset
from options.cli import parse_test, parse_train
from options.errors import UserError
from tests.images import an_image, side_by_side, write
from util.raster.values import units

FLAGS = "--model template --preprocess keep --no_flip"


def build(root: Path, words: str = "", *, mode: str = "aligned", phase: str | None = None) -> TranslationDataset:
    parse: Any = parse_test if mode == "single" else parse_train
    flags = "--model test --preprocess keep" if mode == "single" else f"{FLAGS} --dataset_mode {mode}"
    return create_dataset(parse([*f"{flags} {words}".split(), "--dataroot", str(root)]), phase)


def load(dataset: TranslationDataset, index: int = 0) -> Sample:
    sample = dataset[1, index]
    assert isinstance(sample, Sample), sample
    return sample


def names(dataset: TranslationDataset) -> list[tuple[str, str]]:
    samples = [load(dataset, index) for index in range(len(dataset))]
    return [(Path(sample.A_path).name, Path(sample.B_path).name) for sample in samples]


def tensor(*images: Image.Image) -> torch.Tensor:
    """Stack images, C x H x W in [-1, 1]."""
    arrays = [np.atleast_3d(np.array(image)) for image in images]
    return torch.from_numpy(np.concatenate(arrays, axis=2)).permute(2, 0, 1) / 127.5 - 1


def write_folders(root: Path, A: list[str], B: list[str]) -> Path:
    for side, files in (("A", A), ("B", B)):
        for index, name in enumerate(files):
            write(an_image(index + 100 * (side == "B")), root / f"train{side}" / name)
    return root


class TestTwoFolders:
    def test_pairs_have_the_same_name_below_their_folders_whatever_the_ending(self, tmp_path: Path) -> None:
        root = write_folders(tmp_path, ["x.png", "sub/y.png", "ä ö.png"], ["sub/y.bmp", "x.PNG", "ä ö.tif"])
        assert set(names(build(root))) == {("x.png", "x.PNG"), ("y.png", "y.bmp"), ("ä ö.png", "ä ö.tif")}

    def test_they_train_as_the_same_pairs_side_by_side_do(self, tmp_path: Path) -> None:
        for index in range(3):
            A, B = an_image(index), an_image(100 + index)
            write(A, tmp_path / "two" / "trainA" / f"{index}.png")
            write(B, tmp_path / "two" / "trainB" / f"{index}.png")
            write(side_by_side(A, B), tmp_path / "one" / "train" / f"{index}.png")
        cropped = "--preprocess resize_and_crop --load_size 36 --crop_size 32 --direction BtoA"
        two, one = (build(tmp_path / kind, cropped) for kind in ("two", "one"))
        for index in range(3):
            assert torch.equal(load(two, index).A, load(one, index).A)
            assert torch.equal(load(two, index).B, load(one, index).B)  # type: ignore[arg-type]

    def test_the_official_layout_wins_where_both_are_there(self, tmp_path: Path) -> None:
        write_folders(tmp_path, ["x.png"], ["x.png"])
        write(side_by_side(an_image(0), an_image(1)), tmp_path / "train" / "pair.png")
        assert names(build(tmp_path)) == [("pair.png", "pair.png")]

    def test_missing_partners_are_listed_and_refused(self, tmp_path: Path) -> None:
        root = write_folders(tmp_path, ["x.png", "y.png"], ["x.png", "z.png"])
        with pytest.raises(UserError, match=r"2 files have no partner: .*y\.png, .*z\.png; add the partners, or leave"):
            build(root)

    def test_or_left_out_with_a_warning(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        root = write_folders(tmp_path, ["x.png", *(f"{i}.png" for i in range(9))], ["x.png"])
        assert names(build(root, "--on_missing_partner skip")) == [("x.png", "x.png")]
        assert "9 files have no partner: " in caplog.text
        assert "4.png and 4 more; left out" in caplog.text

    def test_folders_without_a_common_name_are_no_pairs(self, tmp_path: Path) -> None:
        root = write_folders(tmp_path, ["x.png"], ["y.png"])
        with pytest.raises(UserError, match="so there are no pairs; give partners the same name"):
            build(root, "--on_missing_partner skip")

    def test_two_files_that_differ_in_the_ending_alone_are_refused(self, tmp_path: Path) -> None:
        root = write_folders(tmp_path, ["x.png", "x.bmp"], ["x.png"])
        with pytest.raises(UserError, match=r"x\.bmp and .*x\.png differ in their ending alone"):
            build(root)

    def test_a_pair_of_unequal_size_needs_resizing(self, tmp_path: Path) -> None:
        write(an_image(0), tmp_path / "trainA" / "x.png")
        write(an_image(1, (20, 18)), tmp_path / "trainB" / "x.png")
        error = build(tmp_path)[1, 0]
        assert isinstance(error, UserError)
        assert "x.png are 40x36 and 20x18 pixels after --preprocess keep" in str(error)
        assert "use --preprocess resize_and_crop" in str(error)
        sample = load(build(tmp_path, "--preprocess resize_and_crop --load_size 36 --crop_size 32"))
        assert sample.A.shape == sample.B.shape == (3, 32, 32)  # type: ignore[union-attr]

    def test_another_phase_is_found_in_its_own_folders(self, tmp_path: Path) -> None:
        write_folders(tmp_path, ["x.png"], ["x.png"])
        for side in "AB":
            write(an_image(0), tmp_path / f"val{side}" / "v.png")
        assert names(build(tmp_path, phase="val")) == [("v.png", "v.png")]

    def test_the_hint_names_both_layouts(self, tmp_path: Path) -> None:
        with pytest.raises(
            UserError, match="A left and B right in .*train, or images of the same names in .*trainA and"
        ):
            build(tmp_path)


class TestStacked:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """A1 in colour, A2 gray, B in colour; one name more in A2."""
        write(an_image(0), tmp_path / "trainA1" / "x.png")
        write(an_image(1).convert("L"), tmp_path / "trainA2" / "x.png")
        write(an_image(2), tmp_path / "trainB" / "x.png")
        return tmp_path

    @pytest.mark.parametrize("mode", ["aligned", "unaligned"])
    def test_numbered_folders_become_one_input(self, root: Path, mode: str) -> None:
        sample = load(build(root, "--input_nc 4", mode=mode))
        torch.testing.assert_close(units(sample.A), tensor(an_image(0), an_image(1).convert("L")))
        torch.testing.assert_close(units(sample.B), tensor(an_image(2)))  # type: ignore[arg-type]

    def test_the_input_may_be_B(self, root: Path) -> None:
        sample = load(build(root, "--output_nc 4 --direction BtoA"))
        assert (len(sample.A), len(sample.B)) == (3, 4)  # type: ignore[arg-type]

    def test_the_channels_have_to_come_to_input_nc(self, root: Path) -> None:
        with pytest.raises(
            UserError, match=r"stacked files give 4 channels \(.*A1/x.png has 3, .*\), not 3; pass --input_nc 4"
        ):
            build(root)

    def test_the_files_of_a_stack_have_one_size(self, root: Path) -> None:
        write(an_image(1, (20, 18)).convert("L"), root / "trainA2" / "x.png")
        error = build(root, "--input_nc 4")[1, 0]
        assert isinstance(error, UserError)
        assert "A1/x.png is 40x36 and" in str(error)

    def test_missing_files_of_a_stack_are_missing_partners(self, root: Path) -> None:
        write(an_image(1).convert("L"), root / "trainA2" / "more.png")
        with pytest.raises(UserError, match=r"1 files have no partner: .*trainA2/more\.png"):
            build(root, "--input_nc 4", mode="unaligned")


class TestLists:
    @pytest.fixture
    def images(self, tmp_path: Path) -> Path:
        for name in ("a1", "a2", "b1", "b2"):
            write(an_image(int(name[1]) + 10 * (name[0] == "b")), tmp_path / "all" / f"{name}.png")
        return tmp_path

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_the_rows_of_a_csv_are_pairs_and_its_folder_is_where_they_start(self, images: Path, separator: str) -> None:
        rows = [("A", "B"), ("all/a2.png", "all/b1.png"), (str(images / "all" / "a1.png"), "all/b2.png")]
        (images / "pairs.csv").write_text("\n".join(separator.join(row) for row in rows))
        assert names(build(images / "pairs.csv")) == [("a2.png", "b1.png"), ("a1.png", "b2.png")]

    def test_a_column_names_the_phase(self, images: Path) -> None:
        (images / "p.csv").write_text("A,B,phase\nall/a1.png,all/b1.png,train\nall/a2.png,all/b2.png,val\n")
        assert names(build(images / "p.csv")) == [("a1.png", "b1.png")]
        assert names(build(images / "p.csv", phase="val")) == [("a2.png", "b2.png")]
        with pytest.raises(UserError, match="names no images of phase test"):
            build(images / "p.csv", phase="test")

    def test_an_empty_cell_is_a_missing_partner_but_not_in_unpaired_data(self, images: Path) -> None:
        (images / "p.csv").write_text("A,B\nall/a1.png,all/b1.png\nall/a2.png,\n")
        with pytest.raises(UserError, match=r"1 files have no partner: all/a2\.png"):
            build(images / "p.csv")
        assert names(build(images / "p.csv", "--on_missing_partner skip")) == [("a1.png", "b1.png")]
        assert len(build(images / "p.csv", mode="unaligned")) == 2

    def test_a_missing_column_is_named(self, images: Path) -> None:
        (images / "p.csv").write_text("left,right\nx,y\n")
        with pytest.raises(UserError, match=r"p\.csv has no column A, only left, right"):
            build(images / "p.csv", mode="unaligned")

    def test_a_row_with_too_many_cells_is_named(self, images: Path) -> None:
        (images / "p.csv").write_text("A,B\nall/a1.png,all/b1.png,all/b2.png\n")
        with pytest.raises(UserError, match=r"line 2 of .*p\.csv has 3 cells, but the first line names 2"):
            build(images / "p.csv")

    def test_numbered_columns_are_stacked(self, images: Path) -> None:
        (images / "p.csv").write_text("A1,A2,B\nall/a1.png,all/a2.png,all/b1.png\n")
        assert load(build(images / "p.csv", "--input_nc 6")).A.shape == (6, 36, 40)

    def test_text_files_stand_in_for_folders(self, images: Path) -> None:
        (images / "trainA.txt").write_text("all/a2.png\n\nall/a1.png\n")
        (images / "trainB.txt").write_text("﻿all/b1.png\r\n", encoding="utf-8")
        assert [a for a, _ in names(build(images, mode="unaligned"))] == ["a2.png", "a1.png"]

    def test_a_text_file_names_single_images_and_pairs_side_by_side(self, images: Path) -> None:
        (images / "list.txt").write_text("all/b2.png\nall/a1.png\n")
        assert [Path(load(build(images / "list.txt", mode="single"), i).A_path).name for i in range(2)] == [
            "b2.png",
            "a1.png",
        ]
        assert load(build(images / "list.txt")).A.shape == (3, 36, 20)

    def test_a_file_that_is_not_there_is_named_when_it_is_wanted(self, images: Path) -> None:
        (images / "list.txt").write_text("all/nothing.png\n")
        error = build(images / "list.txt", mode="single")[1, 0]
        assert isinstance(error, UserError)
        assert "all/nothing.png" in str(error)

    def test_a_list_that_is_no_text_is_refused(self, images: Path) -> None:
        (images / "list.txt").write_bytes(b"\xff\xfe\x00")
        with pytest.raises(UserError, match=r"cannot read the list .*list\.txt"):
            build(images / "list.txt", mode="single")


def test_links_are_followed(tmp_path: Path) -> None:
    write_folders(tmp_path / "real", ["sub/x.png"], ["sub/x.png"])
    root = tmp_path / "linked"
    root.mkdir()
    for side in "AB":
        (root / f"train{side}").symlink_to(tmp_path / "real" / f"train{side}", target_is_directory=True)
    assert names(build(root)) == [("x.png", "x.png")]


def test_composed_and_decomposed_letters_are_the_same_name(tmp_path: Path) -> None:
    root = write_folders(tmp_path, ["caf\u00e9.png"], ["cafe\u0301.png"])
    assert len(build(root)) == 1


@pytest.mark.parametrize("mode", ["aligned", "unaligned"])
def test_names_for_results_keep_sub_folders(tmp_path: Path, mode: str) -> None:
    root = write_folders(tmp_path, ["x.png", "sub/deep/x.png"], ["x.png", "sub/deep/x.png"])
    dataset = build(root, mode=mode)
    found = {dataset.relative_name(load(dataset, index).A_path) for index in range(2)}
    assert found == {"x.png", "sub/deep/x.png"}


def test_a_list_of_pairs_side_by_side_keeps_its_phases_apart(tmp_path: Path) -> None:
    for name in ("t", "v"):
        write(side_by_side(an_image(0), an_image(1)), tmp_path / f"{name}.png")
    (tmp_path / "p.csv").write_text("AB,phase,batch\nt.png,train,1\nv.png,val,2\n")
    assert names(build(tmp_path / "p.csv")) == [("t.png", "t.png")]
    assert names(build(tmp_path / "p.csv", phase="val")) == [("v.png", "v.png")]


def test_more_than_nine_columns_are_stacked_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    numbers = range(1, 12)
    for number in numbers:
        write(Image.new("L", (6, 5), number), tmp_path / f"{number}.png")
    header = ",".join([*(f"A{number}" for number in reversed(numbers)), "B"])
    row = ",".join([*(f"{number}.png" for number in reversed(numbers)), "1.png"])
    (tmp_path / "p.csv").write_text(f"{header}\n{row}\n")
    sample = load(build(tmp_path / "p.csv", "--input_nc 11 --output_nc 1"))
    assert sample.A[:, 0, 0].tolist() == list(numbers)


class TestHeldOut:
    @pytest.fixture
    def pairs(self, tmp_path: Path) -> Path:
        for name in ("a1", "a2", "b1", "b2"):
            write(an_image(int(name[1])), tmp_path / f"{name}.png")
        return tmp_path / "p.csv"

    def test_a_list_without_phases_holds_nothing_out(self, pairs: Path) -> None:
        pairs.write_text("A,B\na1.png,b1.png\na2.png,b2.png\n")
        assert len(build(pairs)) == 2
        with pytest.raises(UserError, match="no column phase, which would say which images are of phase val"):
            build(pairs, phase="val")

    def test_a_row_without_a_phase_is_named(self, pairs: Path) -> None:
        pairs.write_text("A,B,phase\na1.png,b1.png,train\na2.png,b2.png,\n")
        with pytest.raises(UserError, match=r"line 3 of .*p\.csv names no phase; write train, val or test there"):
            build(pairs)


class TestInputsAlone:
    def test_a_list_of_pairs_gives_the_side_that_the_run_translates(self, tmp_path: Path) -> None:
        for name in "ab":
            write(an_image(0), tmp_path / f"{name}.png")
        (tmp_path / "p.csv").write_text("A,B\na.png,b.png\n")
        for direction, name in (("AtoB", "a.png"), ("BtoA", "b.png")):
            dataset = build(tmp_path / "p.csv", f"--direction {direction}", mode="single")
            assert Path(load(dataset).A_path).name == name

    @pytest.mark.parametrize("listed", [False, True])
    def test_stacked_inputs_need_no_targets(self, listed: bool, tmp_path: Path) -> None:
        for number in (1, 2):
            write(an_image(number).convert("L"), tmp_path / f"testA{number}" / "x.png")
        (tmp_path / "p.csv").write_text("A1,A2\ntestA1/x.png,testA2/x.png\n")
        root = tmp_path / ("p.csv" if listed else "testA")
        sample = load(build(root, "--input_nc 2", mode="single"))
        torch.testing.assert_close(units(sample.A), tensor(*(an_image(n).convert("L") for n in (1, 2))))
        assert sample.B is None


def test_a_gap_in_stacked_folders_is_refused(tmp_path: Path) -> None:
    for name in ("trainA1", "trainA3", "trainB"):
        write(an_image(0), tmp_path / name / "x.png")
    with pytest.raises(UserError, match="numbered from 1 without gaps, but .* holds trainA1, trainA3; rename them"):
        build(tmp_path, "--input_nc 6")


def test_numbered_folders_beside_a_plain_one_are_told_not_to_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("trainA", "trainA1", "trainB"):
        write(an_image(0), tmp_path / name / "x.png")
    build(tmp_path)
    assert "trainA1 is not read, because" in caplog.text


def test_a_list_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there is no file .*nothing\.csv; check --dataroot"):
        build(tmp_path / "nothing.csv")


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    write(an_image(0), tmp_path / "x.png")
    os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    assert len(build(tmp_path, mode="single")) == 1
