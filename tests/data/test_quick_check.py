"""The look at a data set before a training: what it says, what it warns of, and that it is remembered."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from data.quick_check import look_over, looked_over
from data.registry import create_dataset
from options.cli import parse_train
from options.errors import UserError
from tests.images import an_image, write
from tests.loading import CPU
from util.distributed import World
from util.raster.kinds import Header
from util.raster.reading import read_header

Look = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def look(caplog: pytest.LogCaptureFixture) -> Look:
    """Look a data set over; return (INFO or WARNING, sentence) in order."""

    def run(root: Path, flags: str = "") -> list[tuple[str, str]]:
        dataset = create_dataset(parse_train(["--dataroot", str(root), *flags.split()]))
        caplog.clear()
        with caplog.at_level(logging.INFO):
            look_over(dataset)
        return [(record.levelname, record.getMessage()) for record in caplog.records]

    return run


def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the files whose headers are read from now on."""
    seen = []

    def recording(path: str) -> Header:
        seen.append(Path(path).name)
        return read_header(path)

    monkeypatch.setattr("data.checking.header_cache.read_header", recording)
    return seen


def test_a_sound_set_gets_one_line_a_side_if_anybody_wants_it(look: Look, unaligned_root: Path) -> None:
    assert look(unaligned_root, "--no_data_check") == []
    assert look(unaligned_root) == [("INFO", "A: 3 images, 40x36, rgb"), ("INFO", "B: 3 images, 40x36, rgb")]


def test_pairs_side_by_side_get_one_line(look: Look, aligned_root: Path) -> None:
    assert look(aligned_root, "--model pix2pix") == [("INFO", "pairs: 3 images, 80x36, rgb")]


def test_files_that_cannot_be_read_are_named_with_what_to_do(look: Look, unaligned_root: Path) -> None:
    for index in range(7):
        (unaligned_root / "trainB" / f"zero{index}.png").write_bytes(b"")
    [warning] = [text for level, text in look(unaligned_root) if level == "WARNING"]
    assert warning.startswith("B: 7 of 10 files cannot be read: ")
    assert "zero4.png (the file is empty) and 2 more" in warning
    assert "zero5.png" not in warning
    assert "--on_bad_image skip" in warning
    assert f"python -m data.check --dataroot {unaligned_root}" in warning


def test_a_side_without_a_readable_file_ends_the_run_in_all_processes(
    look: Look, unaligned_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in (unaligned_root / "trainA").iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match="none of the images of A can be read: .*a0.png .the file is empty"):
        look(unaligned_root)
    dataset = create_dataset(parse_train(["--dataroot", str(unaligned_root)]))
    monkeypatch.setattr(World, "any", lambda world, failed: failed or world.rank > 0)
    for rank, words in ((0, "none of the images of A"), (1, "the message of the main process says why")):
        with pytest.raises(UserError, match=words):
            looked_over(dataset, World(rank, 2, CPU))


def test_colours_fit_a_gray_network_but_five_channels_do_not(look: Look, unaligned_root: Path) -> None:
    np.save(unaligned_root / "trainB" / "five.npy", np.zeros((36, 40, 5), np.float32))
    flags = "--model cycle_gan --input_nc 1 --output_nc 1"
    warnings = [text for level, text in look(unaligned_root, flags) if level == "WARNING"]
    assert len(warnings) == 1
    assert "images of 1 channel are wanted" in warnings[0]
    assert "five.npy has 5; pass the --output_nc" in warnings[0]
    swapped = look(unaligned_root, flags + " --direction BtoA")
    assert any("pass the --input_nc" in text for _, text in swapped)


def test_numbers_whose_range_says_nothing_ask_for_it(look: Look, unaligned_root: Path) -> None:
    np.save(unaligned_root / "trainA" / "wide.npy", np.zeros((36, 40), np.int32))
    assert any("wide.npy holds int32 numbers" in text for _, text in look(unaligned_root))
    assert not any("wide.npy" in text for _, text in look(unaligned_root, "--value_range 0,9"))


@pytest.mark.parametrize(("flags", "count"), [("--crop_size 32", 0), ("--crop_size 38", 2)])
def test_images_smaller_than_the_crop_are_told_where_they_are_refused(
    look: Look, unaligned_root: Path, flags: str, count: int
) -> None:
    found = [text for level, text in look(unaligned_root, "--preprocess crop " + flags) if level == "WARNING"]
    assert len(found) == count  # 40x36, each side
    assert all("3 images are too small" in text and "--crop_size" in text for text in found)
    assert len(look(unaligned_root, "--preprocess pad_and_crop " + flags)) == 2


def test_of_many_files_some_are_looked_at_from_first_to_last(
    look: Look, unaligned_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(3, 40):
        write(an_image(index), unaligned_root / "trainA" / f"a{index:02d}.png")
    names = sorted(path.name for path in (unaligned_root / "trainA").iterdir())
    monkeypatch.setattr("data.quick_check.MOST_FILES", 10)
    seen = reads(monkeypatch)
    assert look(unaligned_root)[0] == ("INFO", "A: 40 images (5 looked at), 40x36, rgb")
    of_a = sorted(name for name in seen if name.startswith("a"))
    assert [names.index(name) for name in of_a] == [0, 10, 20, 29, 39]


def test_the_second_look_opens_nothing_and_says_the_same_until_a_file_changes(
    look: Look, unaligned_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = unaligned_root / "trainA" / "zero.png"
    path.write_bytes(b"")
    first = look(unaligned_root)
    seen = reads(monkeypatch)
    assert look(unaligned_root) == first
    assert seen == []
    write(an_image(8, (400, 300)), path)
    write(an_image(7, (80, 20)), unaligned_root / "trainA" / "wide.png")
    assert look(unaligned_root)[0] == ("INFO", "A: 5 images, 40x36 to 400x300 (median 40x36, 3 sizes), rgb")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"key": 1}', b"\xff\xfe"])
def test_a_damaged_memory_costs_nothing_but_a_second_look(
    look: Look, unaligned_root: Path, own_cache: Path, content: bytes
) -> None:
    first = look(unaligned_root)
    remembered = [path for path in own_cache.rglob("*") if path.is_file()]
    assert len(remembered) == 2
    for path in remembered:
        path.write_bytes(content)
    assert [entry for entry in look(unaligned_root) if not entry[1].startswith("cannot use")] == first


def test_a_pipe_or_nothing_in_a_list_is_named_and_not_waited_for(look: Look, tmp_path: Path) -> None:
    write(an_image(0), tmp_path / "x.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "list.csv").write_text("A,B\nx.png,x.png\npipe.png,x.png\ngone.png,x.png\n")
    [warning] = [text for level, text in look(tmp_path / "list.csv") if level == "WARNING"]
    assert "pipe.png (it is no file but a pipe" in warning
    assert "gone.png (there is no such file" in warning
