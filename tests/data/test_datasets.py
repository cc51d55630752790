"""What each data set feeds: shapes, ranges, sides, and the images it picks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from data.base import TranslationDataset
from data.batch import Sample
from data.registry import DATASETS
from options.errors import UserError
from tests.images import an_image, side_by_side, write, write_aligned, write_colour, write_unaligned
from tests.loading import build, file_names, sample_of
from util.color import lab_to_rgb
from util.raster.values import units

WRITERS = dict.fromkeys(DATASETS, write_colour) | {"unaligned": write_unaligned, "aligned": write_aligned}
CHANNELS = {"colorization": (1, 2)}


def load(dataset: TranslationDataset, index: int = 0, epoch: int = 1) -> Sample:
    """Load a sample in [-1, 1]."""
    sample = sample_of(dataset, index, epoch)
    return sample._replace(A=units(sample.A), B=None if sample.B is None else units(sample.B))


@pytest.fixture(params=sorted(set(DATASETS) - {"webdataset"}))  # whose paths are no files: test_webdataset.py
def dataset(request: pytest.FixtureRequest, tmp_path: Path) -> TranslationDataset:
    """Each registered data set over images laid out as it expects."""
    return build(request.param, WRITERS[request.param](tmp_path / "images"))


def test_samples_have_the_crops_size_and_lie_in_minus_one_to_one(
    dataset: TranslationDataset, request: pytest.FixtureRequest
) -> None:
    mode = request.node.callspec.params["dataset"]
    A_channels, B_channels = CHANNELS.get(mode, (3, 3))
    for index in range(len(dataset)):
        sample = load(dataset, index)
        assert sample.A.shape == (A_channels, 32, 32)
        assert Path(sample.A_path).is_file()
        assert (sample.B is None) == (mode == "single")
        if sample.B is not None:
            assert sample.B.shape == (B_channels, 32, 32)
            assert Path(sample.B_path).is_file()
        for image in (sample.A, sample.B):
            if image is not None:
                assert image.dtype == torch.float32
                assert image.isfinite().all()
                assert image.abs().max() <= 1
                assert image.std() > 0.01


def test_max_dataset_size_keeps_the_first_images(tmp_path: Path, dataset: TranslationDataset, request: Any) -> None:
    mode = request.node.callspec.params["dataset"]
    small = build(mode, tmp_path / "images", "--max_dataset_size 2")
    assert len(small) == 2
    assert load(small, 1).A_path == load(dataset, 1).A_path


@pytest.mark.parametrize("mode", ["unaligned", "aligned", "template"])
def test_direction_swaps_the_sides(mode: str, tmp_path: Path) -> None:
    root = WRITERS[mode](tmp_path)
    there, back = (load(build(mode, root, f"--direction {d}")) for d in ("AtoB", "BtoA"))
    torch.testing.assert_close(back.A, there.B)
    torch.testing.assert_close(back.B, there.A)
    assert (back.A_path, back.B_path) == (there.B_path, there.A_path)


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
@pytest.mark.parametrize("mode", ["unaligned", "aligned"])
def test_input_nc_is_always_of_the_networks_input(mode: str, direction: str, tmp_path: Path) -> None:
    root = WRITERS[mode](tmp_path)
    words = f"--direction {direction} --no_flip --serial_batches"
    sample = load(build(mode, root, f"{words} --input_nc 1 --output_nc 3"))
    colour = load(build(mode, root, words))
    assert sample.B is not None
    assert (len(sample.A), len(sample.B)) == (1, 3)
    torch.testing.assert_close(sample.B, colour.B)
    weights = torch.tensor([0.299, 0.587, 0.114])[:, None, None]
    torch.testing.assert_close(sample.A, (colour.A * weights).sum(0, keepdim=True), atol=0.03, rtol=0)


@pytest.mark.parametrize("preprocess", ["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"])
def test_both_halves_of_a_pair_get_the_same_crop_and_flip(preprocess: str, tmp_path: Path) -> None:
    image = an_image(0, (48, 44))
    write(side_by_side(image, image), tmp_path / "train" / "pair.png")
    dataset = build("aligned", tmp_path, f"--preprocess {preprocess} --load_size 40")
    samples = [load(dataset, epoch=epoch) for epoch in range(1, 20)]
    for sample in samples:
        torch.testing.assert_close(sample.A, sample.B)
    assert any(not torch.equal(samples[0].A, sample.A) for sample in samples[1:])


def test_a_pair_is_cut_in_the_middle(tmp_path: Path) -> None:
    A, B = an_image(0), an_image(100)
    write(side_by_side(A, B), tmp_path / "train" / "pair.png")
    sample = load(build("aligned", tmp_path, "--preprocess none --no_flip"))
    for image, tensor in ((A, sample.A), (B, sample.B)):
        expected = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 127.5 - 1
        torch.testing.assert_close(tensor, expected)


def test_a_pair_of_odd_width_leaves_the_odd_column_to_B(tmp_path: Path) -> None:
    write(an_image(0, (81, 36)), tmp_path / "train" / "pair.png")
    sample = load(build("aligned", tmp_path))
    assert sample.B is not None
    assert sample.A.shape == sample.B.shape == (3, 32, 32)


def test_a_pair_one_pixel_wide_is_refused(tmp_path: Path) -> None:
    write(an_image(0, (1, 36)), tmp_path / "train" / "pair.png")
    error = build("aligned", tmp_path)[1, 0]
    assert isinstance(error, UserError)
    assert "pair.png is one pixel wide" in str(error)


class TestUnaligned:
    @pytest.fixture
    def root(self, tmp_path: Path) -> Path:
        """Two images A, five images B."""
        for side, count in (("A", 2), ("B", 5)):
            for index in range(count):
                write(an_image(index), tmp_path / f"train{side}" / f"{index}.png")
        return tmp_path

    def test_an_epoch_is_as_long_as_the_larger_side(self, root: Path) -> None:
        in_order = [(f"{index % 2}.png", f"{index}.png") for index in range(5)]
        assert file_names(build("unaligned", root, "--serial_batches")) == in_order
        shuffled = build("unaligned", root)
        assert [A for A, _ in file_names(shuffled)] == [A for A, _ in in_order]
        drawn = {Path(load(shuffled, 0, epoch).B_path).name for epoch in range(60)}
        assert drawn == {B for _, B in in_order}

    def test_the_sides_are_cropped_and_mirrored_independently(self, root: Path) -> None:
        dataset = build("unaligned", root, "--serial_batches")
        samples = [load(dataset, 0, epoch) for epoch in range(10)]  # of two equal images
        assert any(not torch.equal(sample.A, sample.B) for sample in samples if sample.B is not None)


def test_colorization_splits_lightness_from_colour(colour_root: Path) -> None:
    sample = load(build("colorization", colour_root, "--preprocess none --no_flip"))
    assert sample.B is not None
    lab = torch.cat([(sample.A + 1) * 50, sample.B * 110]).permute(1, 2, 0).double().numpy()
    pixels = np.array(Image.open(sample.A_path))
    np.testing.assert_allclose(lab_to_rgb(lab) * 255, pixels, atol=0.05)


@pytest.mark.parametrize("words", ["--input_nc 3", "--output_nc 3", "--direction BtoA"])
def test_colorization_has_one_way_and_its_own_channels(colour_root: Path, words: str) -> None:
    with pytest.raises(UserError, match="colorization needs --input_nc 1, --output_nc 2 and --direction AtoB"):
        build("colorization", colour_root, words)


def test_colorization_has_no_changes_of_the_input_alone(colour_root: Path) -> None:
    with pytest.raises(UserError, match="--augment_input would change B too, .* pass --augment instead"):
        build("colorization", colour_root, "--augment_input noise=0.1")


def test_the_template_darkens_by_its_own_flag(colour_root: Path) -> None:
    sample = load(build("template", colour_root, "--new_dataset_option 4 --preprocess none --no_flip"))
    assert sample.B is not None
    torch.testing.assert_close((sample.A + 1) / 4, sample.B + 1)


def test_one_sided_data_has_no_direction(colour_root: Path) -> None:
    there, back = (load(build("single", colour_root, f"--direction {d}")) for d in ("AtoB", "BtoA"))
    assert torch.equal(there.A, back.A)


def test_another_phase_can_be_read_with_the_same_options(unaligned_root: Path) -> None:
    dataset = build("unaligned", unaligned_root, phase="val")
    assert len(dataset) == 2
    assert Path(load(dataset).A_path).parent.name == "valA"
