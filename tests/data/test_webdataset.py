"""Samples from shards: the same for any number of workers and after any resume, dealt out without overlap."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from data.registry import create_dataset
from data.shards import stream as shard_stream
from data.shards.dealing import Dealing, Part
from data.shards.reading import Packed, Shard
from data.shards.stream import Stream, buffered
from options.cli import parse_test
from options.errors import UserError
from tests.images import an_image
from tests.loading import assert_same, build, epoch, names, sample_of
from tests.shards import encoded, loader, png, whole_png, write_shards, write_tar
from util.distributed import Tally, World

SIZES = (5, 3, 6, 4, 5, 1, 4, 5)
COUNT = sum(SIZES)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Eight shards of unequal sizes with 33 pairs."""
    write_shards(tmp_path / "train", SIZES)
    return tmp_path


@pytest.fixture
def unpaired(tmp_path: Path) -> Path:
    """Nine images A in three shards, four images B in two."""
    write_shards(tmp_path / "trainA", (3, 2, 4), pairs=False)
    write_shards(tmp_path / "trainB", (3, 1), pairs=False, first=50)
    return tmp_path


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_number_of_workers_changes_nothing(root: Path, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.loader.usable_cores", lambda: 4)
    alone, helped = loader(root, "--batch_size 2"), loader(root, f"--batch_size 2 --num_threads {workers}")
    assert helped._batches.num_workers == workers
    for number in (1, 2):
        assert_same(epoch(alone, number), epoch(helped, number))


@pytest.mark.parametrize("words", ["", "--shuffle_buffer 0", "--shuffle_buffer 9", "--serial_batches"])
@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_an_epoch_goes_on_from_any_batch_exactly(root: Path, batch_size: int, words: str) -> None:
    words = f"--batch_size {batch_size} {words}"
    whole = epoch(loader(root, words), 3)
    for done in range(len(whole)):
        assert_same(epoch(loader(root, words), 3, done * batch_size), whole[done:])


@pytest.mark.parametrize("kind", ["root", "unpaired"])
def test_workers_take_up_an_epoch_as_one_process_does(request: pytest.FixtureRequest, kind: str) -> None:
    folder = request.getfixturevalue(kind)
    whole = epoch(loader(folder, "--batch_size 2"), 2)
    assert_same(epoch(loader(folder, "--batch_size 2 --num_threads 2"), 2, 4), whole[2:])


@pytest.mark.parametrize("words", ["", "--batch_size 4", "--shuffle_buffer 0", "--serial_batches --batch_size 4"])
def test_every_sample_comes_once_an_epoch(root: Path, words: str) -> None:
    source = loader(root, words)
    assert source.epoch_size == COUNT
    for number in (1, 2):
        assert sorted(names(epoch(source, number))) == sorted(f"s{index}" for index in range(COUNT))


def test_epochs_and_seeds_have_orders_of_their_own(root: Path) -> None:
    source = loader(root)
    orders = [names(epoch(source, number)) for number in (1, 2)]
    orders += [names(epoch(loader(root, "--seed 1")))]
    assert len({tuple(order) for order in orders}) == 3
    assert names(epoch(source)) == orders[0]


def test_serial_batches_keep_the_order_of_the_shards(root: Path) -> None:
    assert names(epoch(loader(root, "--serial_batches --batch_size 2"))) == [f"s{i}" for i in range(COUNT)]


def test_the_buffer_mixes_what_lies_in_one_shard(tmp_path: Path) -> None:
    write_shards(tmp_path / "train", (40,))
    plain, mixed = (names(epoch(loader(tmp_path, f"--shuffle_buffer {size}"))) for size in (0, 10))
    assert plain == [f"s{index}" for index in range(40)]
    assert mixed != plain
    assert sorted(mixed) == sorted(plain)


@pytest.mark.parametrize("size", [2, 3, 16])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_processes_share_an_epoch_without_overlap(
    root: Path, size: int, batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "tally", lambda world, *, failed, images, idle: Tally(failed, images or 1, idle))
    parts = [epoch(loader(root, f"--batch_size {batch_size}", rank=rank, size=size)) for rank in range(size)]
    assert {len(part) for part in parts} == {-(-COUNT // (size * batch_size))}, "as many steps in each"
    together = names([batch for part in parts for batch in part if batch.weight])
    assert sorted(together) == sorted(f"s{index}" for index in range(COUNT))


@pytest.mark.parametrize(
    ("length", "batch", "processes", "lanes"), [(33, 1, 1, 8), (33, 4, 3, 2), (5, 2, 4, 16), (64, 4, 2, 4)]
)
def test_dealing_is_one_to_one_and_a_lane_is_read_front_to_back(
    length: int, batch: int, processes: int, lanes: int
) -> None:
    dealing = Dealing(length, batch, processes, lanes)
    assert sorted(dealing.place(index) for index in range(length)) == list(range(length))
    for rank in range(processes):
        own = list(range(rank, length, processes))
        seen: dict[int, list[int]] = {}  # places by lane
        for number, index in enumerate(own):
            seen.setdefault(number // batch % lanes, []).append(dealing.place(index))
        for places in seen.values():
            part = dealing.part(places[0])
            assert places == list(range(part.start, part.stop))


@pytest.mark.parametrize("size", [0, 1, 7, 100])
def test_a_shuffle_buffer_never_runs_further_ahead_than_its_size(size: int) -> None:
    order = list(buffered(50, size, np.random.default_rng(1)))
    assert sorted(order) == list(range(50))
    assert all(number <= position + max(0, size - 1) + (size > 0) for position, number in enumerate(order))
    assert (order == list(range(50))) == (size < 2)


def test_a_lane_keeps_no_more_samples_than_its_buffer(monkeypatch: pytest.MonkeyPatch) -> None:
    arrived: list[int] = []

    def reading(shard: Shard, numbers: Sequence[int]) -> Iterator[Packed]:
        for number in numbers:
            arrived.append(number)
            yield Packed(shard.label, str(number), {})

    monkeypatch.setattr(shard_stream, "read_samples", reading)
    stream = Stream([Shard("0.tar", "0.tar", 200, 200)], seed=(0,), buffer=10, shuffled=True)
    ahead = []
    for place in range(200):
        stream.sample(1, Part(0, 200), place, again_from=place)
        ahead.append(len(arrived) - place - 1)
    assert 0 < max(ahead) <= 10
    assert len(arrived) == 200


def test_the_smaller_side_of_an_unpaired_set_begins_again(unpaired: Path) -> None:
    source = loader(unpaired)
    orders = []
    for number in (1, 2, 3):
        batches = epoch(source, number)
        A, B = names(batches), names(batches, "B")
        assert sorted(A) == [f"s{index}" for index in range(9)]
        assert sorted(B.count(f"s{50 + index}") for index in range(4)) == [2, 2, 2, 3]
        orders.append(list(zip(A, B, strict=True)))
    assert len({frozenset(order) for order in orders}) == 3, "A and B are shuffled for themselves"


def test_unpaired_sides_of_one_shape_are_shuffled_each_for_itself(tmp_path: Path) -> None:
    for side in "AB":
        write_shards(tmp_path / f"train{side}", (4, 4, 4), pairs=False)
    batches = epoch(loader(tmp_path))
    assert names(batches) != names(batches, "B")
    assert sorted(names(batches)) == sorted(names(batches, "B"))


def test_serial_unpaired_sides_go_in_order(unpaired: Path) -> None:
    batches = epoch(loader(unpaired, "--serial_batches"))
    assert names(batches) == [f"s{index}" for index in range(9)]
    assert names(batches, "B") == [f"s{50 + index % 4}" for index in range(9)]


@pytest.mark.parametrize("form", ["two members", "upper case", "side by side", "BtoA"])
def test_pixels_are_those_of_the_images(tmp_path: Path, form: str) -> None:
    a, b = ("A", "B") if form == "upper case" else ("a", "b")
    members = (
        {"deep/x.png": whole_png(1)} if form == "side by side" else {f"x.{a}.png": png(1), f"x.{b}.png": png(1001)}
    )
    write_tar(tmp_path / "train" / "0.tar", members)
    words = "--preprocess keep --no_flip" + (" --direction BtoA" if form == "BtoA" else "")
    (batch,) = loader(tmp_path, words).epoch(1)
    first, second = (batch.target, batch.A) if form == "BtoA" else (batch.A, batch.target)
    for image, seed in ((first, 1), (second, 1001)):
        levels = torch.from_numpy(np.asarray(an_image(seed, (12, 10))).copy()).permute(2, 0, 1)
        assert torch.allclose(image[0], levels / 127.5 - 1, atol=1e-6)


def test_files_of_one_side_are_stacked(tmp_path: Path) -> None:
    gray = encoded(Image.new("L", (12, 10), 255))
    write_tar(tmp_path / "train" / "0.tar", {"x.a1.png": png(1), "x.a2.png": gray, "x.b.png": png(2)})
    words = "--model pix2pix --dataset_mode webdataset --preprocess keep"
    (batch,) = loader(tmp_path, f"{words} --input_nc 4").epoch(1)
    assert batch.A.shape == (1, 4, 10, 12)
    assert (batch.A[0, 3] == 1).all()
    with pytest.raises(UserError, match=r"a1\.png has 3, .*a2\.png has 1\), not 3; pass --input_nc 4"):
        loader(tmp_path, words)


def test_a_test_knows_what_the_files_were_and_phases_need_a_place_in_a_name(root: Path) -> None:
    write_tar(root / "test" / "0.tar", {"x.a.png": png(1), "x.b.png": encoded(Image.new("L", (12, 10)))})
    words = "--model pix2pix --dataset_mode webdataset --preprocess keep"
    sample = sample_of(create_dataset(parse_test(["--dataroot", str(root), *words.split()])))
    assert [(header.file_format, header.channels) for header in sample.headers] == [("PNG", 3), ("PNG", 1)]
    with pytest.raises(UserError, match=r"0000\.tar names the shards of one phase; write {phase} in the place"):
        build("webdataset", root / "train" / "0000.tar", phase="val")


def test_max_dataset_size_takes_the_first_samples(root: Path) -> None:
    source = loader(root, "--max_dataset_size 7")
    assert source.epoch_size == 7
    assert sorted(names(epoch(source))) == [f"s{index}" for index in range(7)]


def test_result_names_tell_samples_of_all_shards_apart(tmp_path: Path) -> None:
    for shard in ("0.tar", "1.tar"):
        write_tar(tmp_path / "train" / shard, {"d/../x.a.png": png(1), "d/../x.b.png": png(2)})
    dataset = build("webdataset", tmp_path, "--load_size 10 --crop_size 8")
    found = [dataset.relative_name(sample_of(dataset, index).A_path) for index in range(2)]
    assert sorted(found) == ["0/d/x.png", "1/d/x.png"]
