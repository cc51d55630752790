"""A large folder is looked through once, and again when it has changed."""

import logging
import multiprocessing
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data.files.folder import list_images
from tests.data.conftest import found
from tests.images import fill
from util.raster.kinds import EXTENSIONS

TICK = 0.03  # seconds, after which a change leaves another time stamp


@pytest.fixture(autouse=True)
def cache(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of indices; three files make a large folder, and folders may be fresh."""
    monkeypatch.setattr("data.files.folder.LARGE", 3)
    monkeypatch.setattr("data.files.index.SETTLED", 0)
    return own_cache / "image-translation" / "index"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four images in three folders."""
    root = fill(tmp_path / "root", "a/1.png", "a/2.png", "b/3.png", "ü/4.png")
    time.sleep(TICK)
    return root


def without_looking(root: Path, limit: float = float("inf")) -> list[str]:
    """List a folder, where to look into it is an error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(os, "scandir")
        return found(root, limit)


HELD = ["a/1.png", "a/2.png", "b/3.png", "ü/4.png"]


def test_a_large_folder_is_looked_through_once(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(root, 2) == HELD[:2]
    assert without_looking(root) == HELD
    assert without_looking(root, 3) == HELD[:3]
    monkeypatch.chdir(root.parent)
    assert list(list_images("root", 1, hint="")) == ["root/a/1.png"]
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize(("limit", "value"), [("folder.LARGE", 5), ("index.SETTLED", 2 * 10**9)])
def test_a_folder_that_is_small_or_changed_a_moment_ago_gets_no_index(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    monkeypatch.setattr(f"data.files.{limit}", value)
    assert found(root) == HELD
    assert not cache.exists()


def replace_folder(root: Path) -> None:
    """Put another folder in the place of one, with the same times."""
    above, times = root.stat(), (root / "a").stat()
    shutil.move(root / "a", root.parent / "old")
    fill(root, "a/5.png")
    os.utime(root / "a", ns=(times.st_atime_ns, times.st_mtime_ns))
    os.utime(root, ns=(above.st_atime_ns, above.st_mtime_ns))


CHANGES: dict[str, tuple[Callable[[Path], object], list[str]]] = {
    "added": (lambda root: fill(root, "b/0.png"), ["a/1.png", "a/2.png", "b/0.png", "b/3.png", "ü/4.png"]),
    "removed": (lambda root: (root / "a/1.png").unlink(), HELD[1:]),
    "renamed": (lambda root: (root / "b/3.png").rename(root / "b/9.png"), ["a/1.png", "a/2.png", "b/9.png", "ü/4.png"]),
    "folder added": (lambda root: fill(root, "c/d/5.png"), [*HELD[:3], "c/d/5.png", HELD[3]]),
    "folder removed": (lambda root: shutil.rmtree(root / "b"), [*HELD[:2], HELD[3]]),
    "folder replaced": (replace_folder, ["a/5.png", *HELD[2:]]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_noticed(root: Path, change: str) -> None:
    assert found(root) == HELD
    act, expected = CHANGES[change]
    act(root)
    assert found(root) == expected
    assert found(root) == expected


def test_a_linked_folder_that_is_gone_is_noticed(root: Path, tmp_path: Path) -> None:
    (root / "c").symlink_to(fill(tmp_path / "elsewhere", "5.png"))
    assert found(root) == [*HELD[:3], "c/5.png", HELD[3]]
    shutil.rmtree(tmp_path / "elsewhere")
    assert found(root) == HELD


def test_an_index_for_other_extensions_is_not_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(root, "a/5.xyz")
    assert found(root) == HELD
    monkeypatch.setattr("data.files.folder.EXTENSIONS", (*EXTENSIONS, ".xyz"))
    assert found(root) == [*HELD[:2], "a/5.xyz", *HELD[2:]]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
@pytest.mark.parametrize("cut", [True, False])
def test_a_damaged_index_costs_a_search_and_is_made_anew(
    root: Path, cache: Path, share: float, cut: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert found(root) == HELD
    (index,) = cache.iterdir()
    whole = index.read_bytes()
    place = int(share * len(whole))
    index.write_bytes(whole[:place] if cut else whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    caplog.set_level(logging.INFO)
    assert found(root) == HELD
    assert "is damaged" in caplog.text
    assert index.read_bytes() == whole
    assert without_looking(root) == HELD


def test_a_cache_folder_that_cannot_be_written_costs_an_index(
    root: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache.parents[1].write_text("a file, where the folder should be")
    caplog.set_level(logging.INFO)
    assert found(root) == HELD
    assert "cannot keep an index" in caplog.text
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_without_a_home_no_index_is_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "nowhere")  # as ``~`` stays, where a container's user has no name
    monkeypatch.chdir(root.parent)
    assert found(root) == found(root) == HELD
    assert [path.name for path in root.parent.iterdir()] == ["root"]


def test_an_index_that_cannot_be_read_costs_a_search(root: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert found(root) == HELD
    (index,) = cache.iterdir()
    index.unlink()
    index.mkdir()
    caplog.set_level(logging.INFO)
    assert found(root) == HELD
    assert f"cannot read {index} (Is a directory); looking again" in caplog.text


def test_no_index_is_kept_while_a_link_is_broken(root: Path, cache: Path, tmp_path: Path) -> None:
    (root / "a" / "later.png").symlink_to(tmp_path / "later.png")
    assert found(root) == HELD
    assert not cache.exists()
    (tmp_path / "later.png").touch()
    assert found(root) == [*HELD[:2], "a/later.png", *HELD[2:]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_processes_that_write_an_index_at_once_leave_a_whole_one(root: Path, cache: Path) -> None:
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=found, args=(root,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
        assert worker.exitcode == 0
    assert without_looking(root) == HELD
    assert len(list(cache.iterdir())) == 1
