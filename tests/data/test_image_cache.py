"""What a cache gives back is what was put, whoever put it, whatever died meanwhile, and never more than its budget."""

import errno
import gc
import logging
import multiprocessing
import os
import pickle
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

from data.cache import arena, cache_file
from data.cache.image_cache import ImageCache
from options.errors import UserError

Kind = Literal["ram", "disk"]
KINDS: tuple[Kind, ...] = ("ram", "disk")
KEYS = 20
MEGABYTE = 10**6

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def image(key: int) -> Tensor:
    """An image that depends on its number, as a decoder leaves it: H x W x C in memory; every third is float32."""
    generator = torch.Generator().manual_seed(key)
    levels = torch.randint(256, (30 + key % 7, 40, 3), generator=generator, dtype=torch.uint8).permute(2, 0, 1)
    return levels.float() / 255 if key % 3 == 0 else levels


def cache_in(
    folder: Path, kind: Kind = "disk", budget: int = MEGABYTE, *, keys: int = KEYS, fingerprint: str = "f1"
) -> ImageCache:
    return ImageCache(kind, budget_bytes=budget, keys=keys, folder=folder, fingerprint=fingerprint)


def assert_holds(cache: ImageCache, *keys: int) -> None:
    """The cache holds these images and no others."""
    for key in range(KEYS):
        found = cache.get(key)
        assert (found is not None) == (key in keys), key
        if found is not None:
            assert torch.equal(found, image(key))
    assert cache.count == len(keys)


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
    put = PUT[name]
    assert cache.put(0, image(0))
    assert cache.get(7) is None
    assert cache.put(7, put)
    for holder in (cache, sent(cache)):
        found = holder.get(7)
        assert found is not None
        assert found.dtype == put.dtype
        assert torch.equal(found, put)
        assert found.stride() == torch.empty_like(put).stride() or 1 in put.shape


def test_an_image_is_kept_once_and_outlives_the_cache(cache: ImageCache) -> None:
    assert cache.put(1, image(1))
    used = cache.used_bytes
    assert cache.put(1, image(1))
    assert (cache.used_bytes, cache.count) == (used, 1)
    found = cache.get(1)
    del cache
    gc.collect()
    assert found is not None
    assert torch.equal(found, image(1))


def test_taking_an_image_warns_of_nothing_and_writing_into_it_reaches_nobody_else(cache: ImageCache) -> None:
    cache.put(1, image(1))
    other = sent(cache)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = other.get(1)
    assert found is not None
    found.zero_()
    assert_holds(cache, 1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("budget", [13_000, 50_000, 123_457])
def test_the_budget_is_kept(tmp_path: Path, kind: Kind, budget: int) -> None:
    cache = cache_in(tmp_path, kind, budget)
    kept = [key for key in range(KEYS) if cache.put(key, image(key))]
    assert 0 < len(kept) < KEYS
    assert sum(image(key).nbytes for key in kept) <= cache.used_bytes <= budget
    assert_holds(cache, *kept)
    if kind == "disk":
        assert (tmp_path / "f1.cache").stat().st_size <= budget


def fill(cache: ImageCache, first: int) -> None:
    """Put all images, beginning with another one in each process, and look at all."""
    for step in range(KEYS):
        key = (first + step) % KEYS
        if (found := cache.get(key)) is not None:
            assert torch.equal(found, image(key))
        assert cache.put(key, image(key))
    assert_holds(cache, *range(KEYS))


@pytest.fixture
def slow_writer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes between the choice of an image's place and its writing."""
    take = ImageCache._take

    def slow(self: ImageCache, size: int) -> int:
        start = take(self, size)
        time.sleep(0.003)
        return start

    monkeypatch.setattr(ImageCache, "_take", slow)


@pytest.mark.usefixtures("slow_writer")
@pytest.mark.parametrize("start", [pytest.param("fork", marks=needs_fork), "spawn"])
def test_processes_fill_one_cache_together(cache: ImageCache, start: str, tmp_path: Path) -> None:
    alone = cache_in(tmp_path / "alone")
    fill(alone, 0)
    context: Any = multiprocessing.get_context(start)
    workers = [context.Process(target=fill, args=(cache, first)) for first in (0, 0, 7)[: 3 if start == "fork" else 2]]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert_holds(cache, *range(KEYS))
    assert cache.used_bytes == alone.used_bytes


@pytest.mark.usefixtures("slow_writer")
def test_threads_fill_one_cache_together(cache: ImageCache, tmp_path: Path) -> None:
    alone = cache_in(tmp_path / "alone")
    fill(alone, 0)
    threads = [threading.Thread(target=fill, args=(cache, first)) for first in (0, 0, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert_holds(cache, *range(KEYS))
    assert cache.used_bytes == alone.used_bytes


@needs_fork
@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_writer_killed_at_any_point_leaves_no_half_of_an_image(cache: ImageCache, number: int, part: float) -> None:
    cache.put(1, image(1))

    def die() -> None:
        write, calls = os.pwrite, iter(range(3))

        def last(descriptor: int, content: Any, at: int) -> int:
            if next(calls) < number:
                return write(descriptor, content, at)
            write(descriptor, content[: int(part * len(content))], at)
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        os.pwrite = last
        cache.put(2, image(2))

    assert os.WTERMSIG(in_a_child(die)) == signal.SIGKILL
    done = (number, part) == (2, 1.0)  # the row was written whole: so is the image
    assert_holds(cache, *([1, 2] if done else [1]))
    for key in (2, 3):
        assert cache.put(key, image(key))  # no lock is left behind
    assert_holds(cache, 1, 2, 3)


def test_a_file_is_used_again_by_the_next_training(tmp_path: Path) -> None:
    first = cache_in(tmp_path)
    for key in (0, 3, 5):
        first.put(key, image(key))
    del first
    second = cache_in(tmp_path)
    assert_holds(second, 0, 3, 5)
    assert second.put(6, image(6))
    assert_holds(cache_in(tmp_path), 0, 3, 5, 6)


def test_another_fingerprint_or_number_of_images_starts_afresh(tmp_path: Path) -> None:
    cache_in(tmp_path).put(1, image(1))
    assert_holds(cache_in(tmp_path, fingerprint="f2"))
    assert_holds(cache_in(tmp_path), 1)
    assert cache_in(tmp_path, keys=KEYS + 1).count == 0


def test_two_trainings_share_a_file_whatever_their_budgets(tmp_path: Path) -> None:
    small = cache_in(tmp_path, budget=27_000)
    assert [small.put(key, image(key)) for key in (1, 2, 4, 5, 7, 8)] == [True] * 5 + [False]
    large = cache_in(tmp_path)
    assert large.put(8, image(8))
    assert large.put(0, image(0))
    assert_holds(large, 0, 1, 2, 4, 5, 7, 8)
    found = small.get(8)
    assert found is None or torch.equal(found, image(8))
    assert small.get(0) is None  # behind the end of what it may use
    assert not small.put(9, image(9))


def test_a_file_larger_than_the_budget_is_made_anew_and_who_has_it_keeps_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    large = cache_in(tmp_path)
    fill(large, 0)
    assert_holds(cache_in(tmp_path, budget=20_000))
    assert "larger than --cache_gb" in caplog.text
    assert_holds(large, *range(KEYS))
    assert sent(large).count == KEYS


@pytest.mark.parametrize("damage", ["empty", "short", "cut", "garbage", "a bit of the head"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    fill(cache_in(tmp_path), 0)
    path = tmp_path / "f1.cache"
    whole = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "short": whole[:20],
            "cut": whole[:50_000],
            "garbage": os.urandom(len(whole)),
            "a bit of the head": whole[:10] + bytes([whole[10] ^ 4]) + whole[11:],
        }[damage]
    )
    cache = cache_in(tmp_path)
    assert_holds(cache)
    fill(cache, 0)


def test_a_damaged_row_is_an_absent_image(tmp_path: Path) -> None:
    fill(cache_in(tmp_path), 0)
    with (tmp_path / "f1.cache").open("r+b") as file:
        for key, byte in ((3, 1), (5, 9), (8, 21), (9, 31)):
            file.seek(cache_file.BODY + 32 * key + byte)
            value = file.read(1)[0]
            file.seek(-1, os.SEEK_CUR)
            file.write(bytes([value ^ 8]))
    cache = cache_in(tmp_path)
    assert [key for key in range(KEYS) if cache.get(key) is None] == [3, 5, 8, 9]
    fill(cache, 0)


@pytest.mark.parametrize("flushed", [True, False])
@pytest.mark.parametrize("more", [True, False])
def test_after_a_power_cut_only_what_reached_the_disk_is_used(
    tmp_path: Path, flushed: bool, more: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = cache_in(tmp_path)
    cache.put(1, image(1))
    if flushed:
        cache.flush()
    if more:
        cache.put(2, image(2))
    monkeypatch.setattr(cache_file, "_this_start", lambda: b"another start..!")
    assert_holds(cache_in(tmp_path), *([1] if flushed and not more else []))


def test_a_full_disk_is_one_warning_and_no_end(
    cache: ImageCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    cache.put(1, image(1))
    other, write = sent(cache), os.pwrite

    def full(descriptor: int, content: Any, at: int) -> int:
        if len(content) > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content, at)

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        assert [cache.put(key, image(key)) for key in (2, 3, 4)] == [False] * 3
    assert not other.put(5, image(5))  # and the other processes know
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning == "cannot keep more images (No space left on device); the others are decoded every time"
    assert_holds(cache, 1)


def test_a_disk_that_was_full_is_tried_again_by_the_next_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = cache_in(tmp_path)
    cache.put(1, image(1))
    cache._stop(OSError(errno.ENOSPC, "No space left on device"))
    assert not cache.put(2, image(2))
    later = cache_in(tmp_path)
    assert later.put(2, image(2))
    assert_holds(later, 1, 2)


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
    monkeypatch.setattr(cache_file.shutil, "disk_usage", lambda path: types.SimpleNamespace(free=330_000))
    assert_holds(cache_in(tmp_path, budget=400_000), *range(KEYS))
    with pytest.raises(UserError, match="--cache_gb asks for"):
        cache_in(tmp_path, budget=400_000, fingerprint="f2")


@pytest.mark.parametrize("kind", KINDS)
def test_a_budget_below_the_list_of_images_is_refused(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(UserError, match="list of 1000000 images alone takes 0.032 GB; raise --cache_gb"):
        cache_in(tmp_path, kind, keys=10**6)


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
    assert not [name for name in set(os.listdir("/dev/shm")) - shared if "cache" in name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_without_proc_memfd_and_pwrite_will_do(
    tmp_path: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arena, "sys", types.SimpleNamespace(platform="darwin"))
    monkeypatch.setattr(arena, "DESCRIPTORS", str(tmp_path / "no proc {} {}"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delattr(os, "pwrite", raising=False)
    cache = cache_in(tmp_path / "disk", kind)
    other = sent(cache)
    fill(other, 0)
    assert_holds(cache, *range(KEYS))
    left = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert len([name for name in left if not name.endswith(".lock")]) == (kind == "ram")
    del cache, other
    gc.collect()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
