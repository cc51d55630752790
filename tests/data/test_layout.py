"""Where A and B may lie: side by side, in two folders, in stacks; with links, sub-folders, any names."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from data.batch import collate
from options.errors import UserError
from tests.images import an_image, side_by_side, write
from tests.loading import build_whole, file_names, sample_of
from util.raster.values import units


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
        assert set(file_names(build_whole(root))) == {("x.png", "x.PNG"), ("y.png", "y.bmp"), ("ä ö.png", "ä ö.tif")}

    def test_they_train_as_the_same_pairs_side_by_side_do(self, tmp_path: Path) -> None:
        for index in range(3):
            A, B = an_image(index), an_image(100 + index)
            write(A, tmp_path / "two" / "trainA" / f"{index}.png")
            write(B, tmp_path / "two" / "trainB" / f"{index}.png")
            write(side_by_side(A, B), tmp_path / "one" / "train" / f"{index}.png")
        cropped = "--preprocess resize_and_crop --load_size 36 --crop_size 32 --direction BtoA"
        two, one = (build_whole(tmp_path / kind, cropped) for kind in ("two", "one"))
        for index in range(3):
            assert torch.equal(sample_of(two, index).A, sample_of(one, index).A)
            assert torch.equal(sample_of(two, index).B, sample_of(one, index).B)  # type: ignore[arg-type]

    def test_the_official_layout_wins_where_both_are_there(self, tmp_path: Path) -> None:
        write_folders(tmp_path, ["x.png"], ["x.png"])
        write(side_by_side(an_image(0), an_image(1)), tmp_path / "train" / "pair.png")
        assert file_names(build_whole(tmp_path)) == [("pair.png", "pair.png")]

    @pytest.mark.parametrize(
        ("A", "B", "flags", "words"),
        [
            (
                ["x.png", "y.png"],
                ["x.png", "z.png"],
                "",
                r"2 files have no partner: .*y\.png, .*z\.png; add the partners, or leave",
            ),
            (["x.png"], ["y.png"], "--on_missing_partner skip", "so there are no pairs; give partners the same name"),
            (["x.png", "x.bmp"], ["x.png"], "", r"x\.bmp and .*x\.png differ in their ending alone"),
            ([], [], "", "A left and B right in .*train, or images of the same names in .*trainA and"),
        ],
    )
    def test_what_makes_no_pairs_is_refused(
        self, tmp_path: Path, A: list[str], B: list[str], flags: str, words: str
    ) -> None:
        with pytest.raises(UserError, match=words):
            build_whole(write_folders(tmp_path, A, B), flags)

    def test_or_left_out_with_a_warning(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        root = write_folders(tmp_path, ["x.png", *(f"{i}.png" for i in range(9))], ["x.png"])
        assert file_names(build_whole(root, "--on_missing_partner skip")) == [("x.png", "x.png")]
        assert "9 files have no partner: " in caplog.text
        assert "4.png and 4 more; left out" in caplog.text

    def test_a_pair_of_unequal_size_needs_resizing(self, tmp_path: Path) -> None:
        write(an_image(0), tmp_path / "trainA" / "x.png")
        write(an_image(1, (20, 18)), tmp_path / "trainB" / "x.png")
        error = build_whole(tmp_path)[1, 0]
        assert isinstance(error, UserError)
        assert "x.png are 40x36 and 20x18 pixels after --preprocess keep" in str(error)
        assert "use --preprocess resize_and_crop" in str(error)
        sample = sample_of(build_whole(tmp_path, "--preprocess resize_and_crop --load_size 36 --crop_size 32"))
        assert sample.A.shape == sample.B.shape == (3, 32, 32)  # type: ignore[union-attr]

    def test_another_phase_is_found_in_its_own_folders(self, tmp_path: Path) -> None:
        write_folders(tmp_path, ["x.png"], ["x.png"])
        for side in "AB":
            write(an_image(0), tmp_path / f"val{side}" / "v.png")
        assert file_names(build_whole(tmp_path, phase="val")) == [("v.png", "v.png")]


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
        sample = sample_of(build_whole(root, "--input_nc 4", mode=mode))
        torch.testing.assert_close(units(sample.A), tensor(an_image(0), an_image(1).convert("L")))
        torch.testing.assert_close(units(sample.B), tensor(an_image(2)))  # type: ignore[arg-type]

    def test_8_bit_levels_and_numbers_are_stacked_and_batched(self, root: Path) -> None:
        (root / "trainA2" / "x.png").unlink()
        np.save(root / "trainA2" / "x.npy", np.full((36, 40), 0.75, np.float32))
        sample = sample_of(build_whole(root, "--input_nc 4"))
        torch.testing.assert_close(sample.A[:3], tensor(an_image(0)))
        assert (sample.A[3] == 0.5).all()
        np.save(root / "trainB" / "y.npy", np.full((36, 40, 3), 0.75, np.float32))
        levels, numbers = (
            sample_of(build_whole(root, "--input_nc 4 --serial_batches", mode="unaligned"), place) for place in (0, 1)
        )
        batch = collate([levels, numbers]).batch
        assert batch is not None
        torch.testing.assert_close(batch.target, torch.stack([tensor(an_image(2)), torch.full((3, 36, 40), 0.5)]))

    def test_the_input_may_be_B(self, root: Path) -> None:
        sample = sample_of(build_whole(root, "--output_nc 4 --direction BtoA"))
        assert (len(sample.A), len(sample.B)) == (3, 4)  # type: ignore[arg-type]

    def test_the_channels_have_to_come_to_input_nc(self, root: Path) -> None:
        with pytest.raises(
            UserError, match=r"stacked files give 4 channels \(.*A1/x.png has 3, .*\), not 3; pass --input_nc 4"
        ):
            build_whole(root)

    def test_the_files_of_a_stack_have_one_size(self, root: Path) -> None:
        write(an_image(1, (20, 18)).convert("L"), root / "trainA2" / "x.png")
        error = build_whole(root, "--input_nc 4")[1, 0]
        assert isinstance(error, UserError)
        assert "A1/x.png is 40x36 and" in str(error)

    def test_missing_files_of_a_stack_are_missing_partners(self, root: Path) -> None:
        write(an_image(1).convert("L"), root / "trainA2" / "more.png")
        with pytest.raises(UserError, match=r"1 files have no partner: .*trainA2/more\.png"):
            build_whole(root, "--input_nc 4", mode="unaligned")


@pytest.mark.parametrize("mode", ["aligned", "unaligned"])
def test_names_for_results_keep_sub_folders(tmp_path: Path, mode: str) -> None:
    root = write_folders(tmp_path, ["x.png", "sub/deep/x.png"], ["x.png", "sub/deep/x.png"])
    dataset = build_whole(root, mode=mode)
    found = {dataset.relative_name(sample_of(dataset, index).A_path) for index in range(2)}
    assert found == {"x.png", "sub/deep/x.png"}


class TestInputsAlone:
    def test_a_list_of_pairs_gives_the_side_that_the_run_translates(self, tmp_path: Path) -> None:
        for name in "ab":
            write(an_image(0), tmp_path / f"{name}.png")
        (tmp_path / "p.csv").write_text("A,B\na.png,b.png\n")
        for direction, name in (("AtoB", "a.png"), ("BtoA", "b.png")):
            dataset = build_whole(tmp_path / "p.csv", f"--direction {direction}", mode="single")
            assert Path(sample_of(dataset).A_path).name == name

    @pytest.mark.parametrize("listed", [False, True])
    def test_stacked_inputs_need_no_targets(self, listed: bool, tmp_path: Path) -> None:
        for number in (1, 2):
            write(an_image(number).convert("L"), tmp_path / f"testA{number}" / "x.png")
        (tmp_path / "p.csv").write_text("A1,A2\ntestA1/x.png,testA2/x.png\n")
        root = tmp_path / ("p.csv" if listed else "testA")
        sample = sample_of(build_whole(root, "--input_nc 2", mode="single"))
        torch.testing.assert_close(units(sample.A), tensor(*(an_image(n).convert("L") for n in (1, 2))))
        assert sample.B is None


def test_a_gap_in_stacked_folders_is_refused(tmp_path: Path) -> None:
    for name in ("trainA1", "trainA3", "trainB"):
        write(an_image(0), tmp_path / name / "x.png")
    with pytest.raises(UserError, match="numbered from 1 without gaps, but .* holds trainA1, trainA3; rename them"):
        build_whole(tmp_path, "--input_nc 6")


def test_numbered_folders_beside_a_plain_one_are_told_not_to_be_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("trainA", "trainA1", "trainB"):
        write(an_image(0), tmp_path / name / "x.png")
    build_whole(tmp_path)
    assert "trainA1 is not read, because" in caplog.text


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    write(an_image(0), tmp_path / "x.png")
    os.mkfifo(tmp_path / "pipe.png")  # reading it would wait for ever
    assert len(build_whole(tmp_path, mode="single")) == 1
