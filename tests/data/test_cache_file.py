"""A cache on disk is used again as far as it is whole; budgets and folders that do not fit are refused."""

import errno
import gc
import logging
import os
import shutil
import signal
import sys
import tempfile
import types
from pathlib import Path

import pytest

from options.errors import UserError
from tests.caches import (
    ALL,
    IMAGES,
    KINDS,
    NAME,
    OTHER,
    PLACES,
    ROWS,
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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The file of a cache on disk."""
    return tmp_path / f"{NAME}.cache"


def flip_bits(path: Path, *places: int) -> None:
    content = bytearray(path.read_bytes())
    for place in places:
        content[place] ^= 8
    path.write_bytes(content)


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
