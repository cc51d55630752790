"""One bad image among many: fatal, or named, counted and replaced."""

import logging
import multiprocessing
from pathlib import Path

import pytest

from data.loader import Loader
from data.registry import create_dataset
from options.cli import parse_test
from options.errors import UserError
from tests.images import an_image, write
from tests.loading import ALONE, epoch, names
from tests.loading import loader as load

IMAGES = 6


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Six images A and B; of A the second and the last are damaged."""
    for side in "AB":
        for index in range(IMAGES):
            write(an_image(index), tmp_path / f"train{side}" / f"{index}.png")
    whole = (tmp_path / "trainA" / "1.png").read_bytes()
    (tmp_path / "trainA" / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "trainA" / "5.png").write_bytes(b"")
    return tmp_path


def loader(root: Path, words: str = "") -> Loader:
    return load(root, f"--serial_batches {words}")


def stems(source: Loader, skip: int = 0) -> list[str]:
    return names(epoch(source, 1, skip))


@pytest.mark.parametrize("workers", [0, 2])
def test_it_is_fatal_unless_a_flag_says_otherwise(root: Path, workers: int) -> None:
    with pytest.raises(UserError, match=r"cannot read the image .*trainA/1\.png"):
        stems(loader(root, f"--num_threads {workers}"))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("batch_size", [1, 4])
def test_or_another_takes_its_place_and_the_epoch_keeps_its_length(
    root: Path, workers: int, batch_size: int, caplog: pytest.LogCaptureFixture
) -> None:
    source = loader(root, f"--on_bad_image skip --num_threads {workers} --batch_size {batch_size}")
    with caplog.at_level(logging.WARNING):
        assert stems(source) == ["0", "2", "2", "3", "4", "0"]
        assert stems(source) == ["0", "2", "2", "3", "4", "0"]
    said = [record.message for record in caplog.records]
    assert len(said) == 2  # each once, not in every epoch
    assert said[0].startswith("left out (1 so far): cannot read the image ")
    assert "trainA/1.png" in said[0]
    assert "left out (2 so far)" in said[1]
    assert "trainA/5.png (the file is empty" in said[1]


def test_an_epoch_with_bad_images_goes_on_from_any_batch(root: Path) -> None:
    words = "--on_bad_image skip"
    assert stems(loader(root, words), skip=2) == stems(loader(root, words))[2:]


def test_a_data_set_of_bad_images_alone_is_an_error(root: Path) -> None:
    for path in (root / "trainA").iterdir():
        path.write_text("no image")
    with pytest.raises(UserError, match=r"6 images in a row cannot be used: cannot read .*see python -m data\.check"):
        stems(loader(root, "--on_bad_image skip"))


@pytest.mark.parametrize("batch_size", [1, 2])
def test_in_a_test_a_bad_image_has_no_result_instead_of_anothers(root: Path, batch_size: int) -> None:
    argv = f"--dataroot {root / 'trainA'} --model test --preprocess keep --on_bad_image skip --batch_size {batch_size}"
    opt = parse_test(argv.split())
    assert stems(Loader(create_dataset(opt), opt.data, ALONE)) == ["0", "2", "3", "4"]


def test_a_small_file_that_would_be_huge_after_resizing_is_a_bad_image(root: Path) -> None:
    write(an_image(0, (2, 30_000)), root / "trainA" / "0.png")
    words = "--preprocess scale_shortside_and_crop"
    with pytest.raises(
        UserError, match=r"trainA/0\.png would have \d+x\d+ pixels after --preprocess .*lower --load_size"
    ):
        stems(loader(root, f"{words} --load_size 286 --crop_size 256"))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_mistake_in_a_data_set_is_not_taken_for_a_killed_process(
    root: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*given: object) -> None:
        raise RuntimeError("a size of a tensor")

    monkeypatch.setattr("data.domain.to_pixels", broken)
    with pytest.raises(RuntimeError, match="a size of a tensor") as caught:
        stems(loader(root, f"--num_threads {workers}"))
    assert not isinstance(caught.value, UserError)


def test_in_an_unpaired_test_both_that_are_left_out_are_named(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    words = f"--dataroot {root} --phase train --model cycle_gan --on_bad_image skip --preprocess keep"
    opt = parse_test([*words.split(), "--netG", "resnet_1blocks"])
    assert stems(Loader(create_dataset(opt), opt.data, ALONE)) == ["0", "2", "3", "4"]
    assert "trainA/1.png and " in caplog.text
    assert "trainB/1.png are translated together, or not at all" in caplog.text


@pytest.mark.slow  # PyTorch looks every five seconds
@pytest.mark.parametrize("after", [0, 1])  # with 1, the last of 6 images has not been asked for
def test_a_killed_loading_process_is_a_sentence_between_epochs_as_well(root: Path, after: int) -> None:
    source = loader(root, "--num_threads 2 --on_bad_image skip")
    batches = source.epoch(1)
    for _ in range(IMAGES if after == 0 else after):
        next(batches)
    if after == 0:
        assert list(batches) == []
    for child in multiprocessing.active_children():
        child.kill()
        child.join()
    with pytest.raises(UserError, match="a loading process was killed"):
        list(source.epoch(2) if after == 0 else batches)
