"""Batches depend on the seed, the epoch and the position alone: not on workers, nor on what came before."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from data.loader import EpochSampler, Loader
from data.registry import create_dataset
from options.cli import parse_train
from options.errors import UserError
from tests.images import an_image, write
from tests.loading import assert_same, epoch, loader, names
from util.distributed import Tally, World

IMAGES = 7


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Seven images A, five images B."""
    for side, count in (("A", IMAGES), ("B", 5)):
        for index in range(count):
            write(an_image(index), tmp_path / f"train{side}" / f"{index}.png")
    return tmp_path


def test_workers_change_nothing(root: Path) -> None:
    alone, helped = loader(root, "--batch_size 2"), loader(root, "--batch_size 2 --num_threads 2")
    for number in (1, 2):
        assert_same(epoch(alone, number), epoch(helped, number))


def test_a_thread_that_may_not_set_signals_loads_as_well(root: Path) -> None:
    with ThreadPoolExecutor(1) as pool:
        assert_same(pool.submit(epoch, loader(root)).result(), epoch(loader(root)))


def test_epochs_differ_and_can_be_repeated_in_any_order(root: Path) -> None:
    source = loader(root)
    first, second = epoch(source, 1), epoch(source, 2)
    assert names(first) != names(second)
    by_name = {batch.A_paths: batch for batch in second}
    assert any(not torch.equal(batch.A, by_name[batch.A_paths].A) for batch in first)
    assert_same(epoch(source, 1), first)
    assert_same(epoch(loader(root), 2), second)


def test_the_seed_changes_order_and_crops(root: Path) -> None:
    assert names(epoch(loader(root))) != names(epoch(loader(root, "--seed 1")))


@pytest.mark.parametrize(
    ("batch_size", "skip", "workers"),
    [(1, 0, 0), (1, 1, 0), (1, 6, 0), (2, 2, 0), (2, 4, 0), (3, 3, 0), (3, 6, 0), (2, 4, 2)],
)
def test_an_epoch_goes_on_from_any_batch_exactly(root: Path, batch_size: int, skip: int, workers: int) -> None:
    source = loader(root, f"--batch_size {batch_size} --num_threads {workers}")
    assert_same(epoch(source, 3, skip), epoch(source, 3)[skip // batch_size :])


@pytest.mark.parametrize("words", ["", "--serial_batches", "--batch_size 3"])
def test_every_image_comes_once_an_epoch(root: Path, words: str) -> None:
    source = loader(root, words)
    assert source.epoch_size == IMAGES
    for number in (1, 2):
        assert sorted(names(epoch(source, number))) == [str(index) for index in range(IMAGES)]


@pytest.mark.parametrize("batch_size", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("skip", range(IMAGES + 4))  # there may be fewer images than there were
def test_steps_of_processes_have_the_images_of_a_single_one(root: Path, size: int, batch_size: int, skip: int) -> None:
    whole = [index for _, index in EpochSampler(IMAGES, seed=0, shuffled=True)][skip:]
    orders = []
    for rank in range(size):
        sampler = EpochSampler(IMAGES, seed=0, shuffled=True, batch_size=batch_size, rank=rank, world_size=size)
        sampler.skip = skip
        order = [index for _, index in sampler]
        orders.append([order[start : start + batch_size] for start in range(0, len(order), batch_size)])
    assert len({len(order) for order in orders}) == 1, "one would wait for the others for ever"
    for step, batches in enumerate(zip(*orders, strict=True)):
        wanted = whole[step * size * batch_size :][: size * batch_size]
        assert sorted(sum(batches[: len(wanted)], [])) == sorted(wanted)
        assert all(len(batch) == 1 for batch in batches[len(wanted) :]), "images to stand in"


@pytest.mark.parametrize("skip", range(IMAGES))
def test_two_processes_load_together_what_one_would(root: Path, skip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    steps, left = [0, 0], IMAGES - skip

    def tally(world: World, *, failed: bool, images: int, idle: bool) -> Tally:
        steps[world.rank] += 1
        return Tally(failed, min(2, left - 2 * (steps[world.rank] - 1)), idle)

    alone = epoch(loader(root), skip=skip)
    monkeypatch.setattr(World, "tally", tally)
    ranks = [epoch(loader(root, rank=rank, size=2), skip=skip) for rank in range(2)]
    mixed = [batch for pair in zip(*ranks, strict=True) for batch in pair]
    assert_same(mixed[:left], alone)
    full, odd = left // 2 * 2, left % 2
    assert [batch.in_all for batch in mixed] == [2] * full + [1, 1] * odd
    assert [batch.weight for batch in mixed] == [1.0] * full + [2.0, 0.0] * odd, "at last one stands in"


def test_the_last_batch_of_an_epoch_may_be_smaller(root: Path) -> None:
    assert [batch.size for batch in epoch(loader(root, "--batch_size 3"))] == [3, 3, 1]


@pytest.mark.parametrize("side", ["A", "B"])
@pytest.mark.parametrize("workers", [0, 2])
def test_images_of_unequal_size_cannot_share_a_batch(root: Path, side: str, workers: int) -> None:
    write(an_image(0, (48, 44)), root / f"train{side}" / "1.png")
    source = loader(root, f"--preprocess none --serial_batches --batch_size 2 --num_threads {workers}")
    message = f"{side}/0.png is 40x36, .*{side}/1.png is 48x44; use --batch_size 1, or --preprocess pad_and_crop"
    with pytest.raises(UserError, match=message):
        epoch(source)
    assert len(epoch(loader(root, "--preprocess none --serial_batches"))) == IMAGES


def test_a_damaged_image_is_reported_where_it_lies_and_not_before(root: Path) -> None:
    (root / "trainA" / "3.png").write_bytes(b"no image")
    batches = loader(root, "--serial_batches").epoch(1)
    assert names([next(batches) for _ in range(3)]) == ["0", "1", "2"]
    with pytest.raises(UserError, match=r"cannot read the image .*trainA/3\.png"):
        next(batches)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_batches_reach_a_gpu_as_they_are_on_the_cpu(root: Path) -> None:
    opt = parse_train(f"--dataroot {root} --load_size 36 --crop_size 32 --num_threads 2".split())
    there = Loader(create_dataset(opt), opt.data, World(0, 1, torch.device("cuda")))
    for batch, expected in zip(there.epoch(1), epoch(loader(root, "--num_threads 2")), strict=True):
        assert batch.A.is_cuda
        torch.testing.assert_close(batch.A.cpu(), expected.A)


@pytest.mark.parametrize("small", [0, 2**20])
def test_images_come_from_a_worker_as_they_are_by_value_or_by_shared_memory(
    root: Path, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data.worker.SMALL", small)
    alone, helped = epoch(loader(root, "--batch_size 2")), epoch(loader(root, "--batch_size 2 --num_threads 1"))
    assert_same(alone, helped)
    for batch in helped:
        batch.A.mul_(0)  # nobody else's numbers
    assert_same(epoch(loader(root, "--batch_size 2")), alone)
