"""What a cache gives back is what was put, whoever put it and whatever died meanwhile, within its budget."""

import errno
import gc
import logging
import multiprocessing
import os
import signal
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from data.cache.image_cache import ImageCache
from tests.caches import (
    ALL,
    KINDS,
    NAME,
    PLACES,
    Kind,
    assert_holds,
    cache_in,
    fill,
    image,
    in_a_child,
    just_enough,
    needs_fork,
    put,
    sent,
)


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
def test_the_budget_is_kept(tmp_path: Path, kind: Kind, budget: int) -> None:
    cache = cache_in(tmp_path, kind, budget)
    kept = [key for key, fitted in enumerate(put(cache, *ALL)) if fitted]
    assert 0 < len(kept) == cache.count < len(PLACES)
    assert sum(image(key).nbytes for key in kept) <= budget
    assert_holds(cache, *kept)
    if kind == "disk":
        assert (tmp_path / f"{NAME}.cache").stat().st_size <= budget


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
    [
        pytest.param("ram", "fork", marks=needs_fork),
        pytest.param("disk", "fork", marks=needs_fork),
        pytest.param("ram", "spawn", marks=pytest.mark.slow),
    ],
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
    with ThreadPoolExecutor() as pool:
        list(pool.map(fill, [cache] * 3, (0, 0, 7)))
    assert_holds(cache, *ALL)


@pytest.mark.usefixtures("slow_writer")
def test_threads_keep_to_the_budget_together(tmp_path: Path) -> None:
    budget = 20_480
    cache = cache_in(tmp_path, budget=budget)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda first: put(cache, *ALL[first:]), (1, 2, 4, 5)))
    assert (tmp_path / f"{NAME}.cache").stat().st_size <= budget
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
