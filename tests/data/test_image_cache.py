"""What a cache gives back is what was put, whoever put it, whatever died meanwhile, and never more than its budget."""

import errno
import gc
import logging
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import time
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from data.cache.image_cache import ImageCache
from options.errors import UserError

Kind = Literal["ram", "disk"]
KINDS: tuple[Kind, ...] = ("ram", "disk")
IMAGES = 10
PLACES = [(side, index) for index in range(IMAGES) for side in "AB"]
ALL = range(len(PLACES))
MEGABYTE = 10**6
NAME, OTHER = "f1" * 16, "f2" * 16
ROWS = 4096  # where the table of images begins in a file, with 32 bytes for each

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def image(key: int) -> Tensor:
    """An image that depends on its number, as a decoder leaves it: H x W x C in memory; every third is float32."""
    generator = torch.Generator().manual_seed(key)
    levels = torch.randint(256, (30 + key % 7, 40, 3), generator=generator, dtype=torch.uint8).permute(2, 0, 1)
    return levels.float() / 255 if key % 3 == 0 else levels


def cache_in(
    folder: Path, kind: Kind = "disk", budget: int = MEGABYTE, *, images: int = IMAGES, fingerprint: str = NAME
) -> ImageCache:
    return ImageCache(kind, budget_bytes=budget, images=images, folder=folder, fingerprint=fingerprint)


def put(cache: ImageCache, *keys: int) -> list[bool]:
    return [cache.put(*PLACES[key], image(key)) for key in keys]


def assert_holds(cache: ImageCache, *keys: int) -> None:
    """The cache holds these images and no others."""
    for key, place in enumerate(PLACES):
        found = cache.get(*place)
        assert (found is not None) == (key in keys), place
        if found is not None:
            assert torch.equal(found, image(key))


def sent(cache: ImageCache) -> ImageCache:
    """The cache as another process gets it."""
    copy = pickle.loads(pickle.dumps(cache))
    assert isinstance(copy, ImageCache)
    return copy


def in_a_child(act: Callable[[], Any]) -> int:
    """Run in a forked process; return how it ended, as ``os.waitpid`` says."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def flip_bits(path: Path, *places: int) -> None:
    with path.open("r+b") as file:
        for place in places:
            file.seek(place)
            value = file.read(1)[0]
            file.seek(place)
            file.write(bytes([value ^ 8]))


def just_enough() -> int:
    """The least budget that takes all images, if none is kept twice."""
    table = ROWS + 32 * len(PLACES)
    each = sum(-(-image(key).nbytes // 64) * 64 for key in ALL)
    return -(-(table + each) // 4096) * 4096 + 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a cache on disk."""
    return tmp_path / f"{NAME}.cache"


@pytest.fixture(params=KINDS)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> ImageCache:
    return cache_in(tmp_path, request.param)


PUT: dict[str, Tensor] = {
    "rows of pixels": image(1),
    "planes": image(2).contiguous(),
    "floats": image(3),
    "part of an image": image(4)[:, 5:25, 3:17],
    "mirrored memory": image(5).transpose(1, 2),
    "one channel": image(6)[:1],
    "one pixel": image(7)[:, :1, :1],
}


@pytest.mark.parametrize("name", PUT)
def test_an_image_comes_back_with_its_order_in_memory(cache: ImageCache, name: str) -> None:
    original = PUT[name]
    assert cache.put("A", 0, image(0))
    assert cache.get("B", 7) is None
    assert cache.put("B", 7, original)
    assert cache.get("A", 7) is None
    for holder in (cache, sent(cache)):
        found = holder.get("B", 7)
        assert found is not None
        assert found.dtype == original.dtype
        assert torch.equal(found, original)
        assert found.stride() == torch.empty_like(original).stride() or 1 in original.shape


def test_an_image_is_kept_once_and_outlives_the_cache(tmp_path: Path, cache: ImageCache) -> None:
    small = cache_in(tmp_path / "small", budget=12_288)
    assert put(small, *[1] * 10) == [True] * 10  # one place, although there is room for one image only
    assert put(small, 2) == [False]
    assert (put(cache, 1, 1), cache.count) == ([True, True], 1)
    found = cache.get(*PLACES[1])
    del cache
    gc.collect()
    assert found is not None
    assert torch.equal(found, image(1))


def test_taking_an_image_warns_of_nothing_and_writing_into_it_reaches_nobody_else(cache: ImageCache) -> None:
    put(cache, 1)
    other = sent(cache)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = other.get(*PLACES[1])
    assert found is not None
    found.zero_()
    assert_holds(cache, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [13_000, 50_000, 123_457])
def test_the_budget_is_kept(tmp_path: Path, path: Path, kind: Kind, budget: int) -> None:
    cache = cache_in(tmp_path, kind, budget)
    kept = [key for key, fitted in enumerate(put(cache, *ALL)) if fitted]
    assert 0 < len(kept) == cache.count < len(PLACES)
    assert sum(image(key).nbytes for key in kept) <= budget
    assert_holds(cache, *kept)
    if kind == "disk":
        assert path.stat().st_size <= budget


def fill(cache: ImageCache, first: int) -> None:
    """Put all images, beginning with another one in each process, and look at all."""
    for key in [*ALL[first:], *ALL[:first]]:
        if (found := cache.get(*PLACES[key])) is not None:
            assert torch.equal(found, image(key))
        assert cache.put(*PLACES[key], image(key))
    assert_holds(cache, *ALL)


@pytest.fixture
def slow_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes before an image is written."""
    write = os.write

    def slow(descriptor: int, content: Any) -> int:
        time.sleep(0.003 if len(content) > 1000 else 0)
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", slow)


@pytest.mark.usefixtures("slow_writer")
@pytest.mark.parametrize(
    ("kind", "start"),
    [pytest.param("ram", "fork", marks=needs_fork), pytest.param("disk", "fork", marks=needs_fork), ("ram", "spawn")],
)
def test_processes_fill_one_cache_together(tmp_path: Path, kind: Kind, start: str) -> None:
    cache = cache_in(tmp_path, kind, just_enough())
    context: Any = multiprocessing.get_context(start)
    workers = [context.Process(target=fill, args=(cache, first)) for first in (0, 0, 7)[: 3 if start == "fork" else 2]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert_holds(cache, *ALL)


@pytest.mark.usefixtures("slow_writer")
def test_threads_fill_one_cache_together(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, budget=just_enough())
    threads = [threading.Thread(target=fill, args=(cache, first)) for first in (0, 0, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert_holds(cache, *ALL)


@pytest.mark.usefixtures("slow_writer")
def test_threads_keep_to_the_budget_together(tmp_path: Path, path: Path) -> None:
    budget = 20_480
    cache = cache_in(tmp_path, budget=budget)
    threads = [threading.Thread(target=put, args=(cache, *ALL[first:])) for first in (1, 2, 4, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert path.stat().st_size <= budget
    assert 0 < cache.count < len(PLACES)


@needs_fork
@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_writer_killed_at_any_point_leaves_no_half_of_an_image(cache: ImageCache, number: int, part: float) -> None:
    put(cache, 1)

    def die() -> None:
        write, calls = os.write, iter(range(3))

        def last(descriptor: int, content: Any) -> int:
            if next(calls) < number:
                return write(descriptor, content)
            write(descriptor, content[: int(part * len(content))])
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        os.write = last
        put(cache, 2)

    assert os.WTERMSIG(in_a_child(die)) == signal.SIGKILL
    done = (number, part) == (2, 1.0)  # the row was written whole: so is the image
    assert_holds(cache, *([1, 2] if done else [1]))
    assert put(cache, 2, 3) == [True, True]  # no lock is left behind
    assert_holds(cache, 1, 2, 3)


def test_a_file_is_used_again_by_the_next_training(tmp_path: Path) -> None:
    first = cache_in(tmp_path)
    put(first, 0, 3, 5)
    del first
    second = cache_in(tmp_path)
    assert second.count == 3
    assert_holds(second, 0, 3, 5)
    put(second, 6)
    assert_holds(cache_in(tmp_path), 0, 3, 5, 6)


def test_a_folder_holds_one_cache_which_a_training_at_work_keeps(tmp_path: Path, path: Path) -> None:
    mine = tmp_path / "my.cache"
    mine.touch()
    old = cache_in(tmp_path)
    put(old, 1)
    new = cache_in(tmp_path, fingerprint=OTHER)
    assert_holds(new)
    put(new, 2)
    assert [found.name for found in tmp_path.glob("*.cache*") if found != mine] == [f"{OTHER}.cache"]
    assert mine.exists()
    put(old, 3)
    assert_holds(sent(old), 1, 3)
    assert_holds(new, 2)
    assert_holds(cache_in(tmp_path))


def test_an_old_cache_that_cannot_be_removed_is_named(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(cache_in(tmp_path), 1)

    unlink = Path.unlink

    def refuse(self: Path, missing_ok: bool = False) -> None:
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        unlink(self, missing_ok)

    caplog.set_level(logging.INFO)
    monkeypatch.setattr(Path, "unlink", refuse)
    new = cache_in(tmp_path, fingerprint=OTHER)
    assert f"cannot remove the old cache {path} (Permission denied)" in caplog.text
    assert put(new, 2) == [True]


def test_another_number_of_images_starts_afresh(tmp_path: Path) -> None:
    put(cache_in(tmp_path), 1)
    assert cache_in(tmp_path, images=IMAGES + 1).count == 0


def test_a_training_with_a_larger_budget_shares_the_file_of_a_smaller_one(tmp_path: Path) -> None:
    small = cache_in(tmp_path, budget=27_000)
    assert put(small, 1, 2, 4, 5, 7, 8) == [True] * 5 + [False]
    large = cache_in(tmp_path)
    assert put(large, 8, 0) == [True, True]
    assert_holds(large, 0, 1, 2, 4, 5, 7, 8)
    assert small.get(*PLACES[0]) is None  # behind the end of what it may use
    assert put(small, 10) == [False]
    assert_holds(small, 1, 2, 4, 5, 7)


def test_a_file_of_a_larger_budget_is_made_anew_and_who_has_it_keeps_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    large = cache_in(tmp_path)
    fill(large, 0)
    assert_holds(cache_in(tmp_path, budget=20_000))
    assert "was made for a larger --cache_gb; it is made anew" in caplog.text
    assert_holds(large, *ALL)
    assert_holds(sent(large), *ALL)


@pytest.mark.parametrize("damage", ["empty", "short", "garbage", "a bit of the head"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    fill(cache_in(tmp_path), 0)
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "short": whole[:10],
            "garbage": os.urandom(len(whole)),
            "a bit of the head": whole[:10] + bytes([whole[10] ^ 4]) + whole[11:],
        }[damage]
    )
    cache = cache_in(tmp_path)
    assert f"{path} is damaged" in caplog.text
    assert_holds(cache)
    fill(cache, 0)


def test_a_damaged_row_is_an_absent_image(tmp_path: Path, path: Path) -> None:
    fill(cache_in(tmp_path), 0)
    flip_bits(path, *(ROWS + 32 * key + byte for key, byte in ((3, 1), (5, 9), (8, 21), (9, 27), (11, 31))))
    cache = cache_in(tmp_path)
    assert_holds(cache, *(set(ALL) - {3, 5, 8, 9, 11}))
    fill(cache, 0)


def test_damaged_pixels_are_an_absent_image(tmp_path: Path, path: Path) -> None:
    fill(cache_in(tmp_path), 0)
    flip_bits(path, path.read_bytes().index(image(4).permute(1, 2, 0).contiguous().numpy().tobytes()) + 2000)
    cache = cache_in(tmp_path)
    assert_holds(cache, *(set(ALL) - {4}))
    assert put(cache, 4) == [True]
    assert_holds(cache, *ALL)
    assert_holds(cache_in(tmp_path), *ALL)


@pytest.mark.parametrize("part", [0.3, 0.9])
def test_a_half_written_copy_is_used_as_far_as_it_goes(tmp_path: Path, path: Path, part: float) -> None:
    cache = cache_in(tmp_path, budget=2 * just_enough())
    fill(cache, 0)
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[: int(part * just_enough())])
    copy = cache_in(tmp_path, budget=2 * just_enough())
    left = [key for key, place in enumerate(PLACES) if copy.get(*place) is not None]
    assert left == list(range(len(left)))  # they lie in the order in which they were put
    assert 0 < len(left) < len(PLACES)
    fill(copy, 0)


def test_a_table_that_is_ahead_of_the_count_of_bytes_loses_no_image(tmp_path: Path, path: Path) -> None:
    """After a power cut, pages of different ages may be on disk: the count's is from before the images were put."""
    put(cache_in(tmp_path), 1)
    early = path.read_bytes()[:ROWS]
    put(cache_in(tmp_path), 2, 3, 4)
    with path.open("r+b") as file:
        file.write(early)
    cache = cache_in(tmp_path)
    assert_holds(cache, 1, 2, 3, 4)
    put(cache, 5, 6)
    assert_holds(cache, 1, 2, 3, 4, 5, 6)
    assert_holds(cache_in(tmp_path), 1, 2, 3, 4, 5, 6)


def test_a_full_disk_is_one_warning_until_the_next_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache = cache_in(tmp_path)
    put(cache, 1)
    other, write = sent(cache), os.write

    def full(descriptor: int, content: Any) -> int:
        if len(content) > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content)

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        assert put(cache, 2, 3, 4) == [False] * 3
    assert put(other, 5) == [False]  # the other processes know
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning == "cannot keep more images (No space left on device); the others are decoded every time"
    assert_holds(cache, 1)
    later = cache_in(tmp_path)
    assert put(later, 2) == [True]
    assert_holds(later, 1, 2)


def test_a_broken_disk_is_one_warning_too(
    cache: ImageCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(descriptor: int, content: Any) -> int:
        raise OSError(errno.EIO, "Input/output error")

    put(cache, 1)
    monkeypatch.setattr(os, "write", broken)
    assert put(cache, 2, 3, 4) == [False] * 3
    assert caplog.text.count("cannot keep more images (Input/output error)") == 1
    assert_holds(cache, 1)


@pytest.mark.parametrize(
    ("kind", "where", "instead"),
    [("ram", "of memory are free", "--cache disk"), ("disk", "are free in", "--cache_dir")],
)
def test_a_budget_that_is_not_there_is_refused(tmp_path: Path, kind: Kind, where: str, instead: str) -> None:
    if kind == "ram" and sys.platform != "linux":
        pytest.skip("the system does not say how much memory is free")
    with pytest.raises(UserError, match=f"asks for 1e.06 GB, but only .* GB {where}.*lower --cache_gb, or .*{instead}"):
        cache_in(tmp_path, kind, 10**15)


def test_a_file_counts_as_free_disk_for_the_next_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(cache_in(tmp_path, budget=400_000), 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: types.SimpleNamespace(free=330_000))
    assert_holds(cache_in(tmp_path, budget=400_000), *ALL)
    with pytest.raises(UserError, match="--cache_gb asks for"):
        cache_in(tmp_path, budget=400_000, fingerprint=OTHER)


@pytest.mark.parametrize("kind", KINDS)
def test_a_budget_below_the_list_of_images_is_refused(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(UserError, match="list of 1000000 images alone takes 0.032 GB; raise --cache_gb"):
        cache_in(tmp_path, kind, images=500_000)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot keep images in .*file/cache \(Not a directory\).*--cache_dir"):
        cache_in(tmp_path / "file" / "cache")


@needs_fork
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a killed process leaves its temporary file")
def test_a_cache_in_memory_has_no_file_that_a_killed_process_could_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    shared = set(os.listdir("/dev/shm")) if os.path.isdir("/dev/shm") else set()

    def die() -> None:
        fill(cache_in(tmp_path, "ram"), 0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert os.WTERMSIG(in_a_child(die)) == signal.SIGKILL
    assert os.listdir(tmp_path) == []
    if os.path.isdir("/dev/shm"):
        assert not [name for name in set(os.listdir("/dev/shm")) - shared if "cache" in name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_that_is_not_linux_will_do(tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    cache = cache_in(tmp_path / "disk", kind)
    other = sent(cache)
    fill(other, 0)
    assert_holds(cache, *ALL)
    left = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert len([name for name in left if not name.endswith(".lock")]) == (kind == "ram")
    del cache, other
    gc.collect()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
