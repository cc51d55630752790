"""What lies below a folder is found whole, in order and without rounds; a large folder is looked through once."""

import logging
import multiprocessing
import os
import pickle
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from data.files import folder as image_folder
from data.files import index as file_index
from data.files.folder import list_images
from data.files.path_list import PathList
from options.errors import UserError

ALL = float("inf")
TICK = 0.03  # seconds, after which a change leaves another time stamp


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def found(root: Path, limit: float = ALL) -> list[str]:
    paths = list_images(root, limit, hint="make some")
    return [paths.relative(index) for index in range(len(paths))]


def test_images_are_found_in_the_order_of_their_full_paths(tmp_path: Path) -> None:
    names = [
        "b.png",
        "a.JPG",
        "a/z.tiff",
        "a/b/c.webp",
        "a-b/1.png",
        "a b/1.bmp",
        "Z.Jpeg",
        "ä.png",
        "日本/猫.png",
        "😀.png",
    ]
    fill(tmp_path, *names, "notes.txt", "png", "a/.hidden.png", ".ipynb_checkpoints/a.png", "x.png.bak")
    walked = [os.path.join(folder, name) for folder, _, files in os.walk(tmp_path) for name in files]
    expected = sorted(path for path in walked if os.path.relpath(path, tmp_path) in names)
    assert list(list_images(tmp_path, ALL, hint="")) == expected
    assert len(expected) == len(names)


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (2.0, 2), (3, 3), (4, 3), (ALL, 3)])
def test_a_limit_takes_the_first(tmp_path: Path, limit: float, count: int) -> None:
    fill(tmp_path, "c.png", "a.png", "b.png")
    assert found(tmp_path, limit) == ["a.png", "b.png", "c.png"][:count]


def test_a_folder_with_a_slash_at_its_end_is_the_same(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "b/c.png")
    assert list(list_images(f"{tmp_path}/", ALL, hint="")) == list(list_images(tmp_path, ALL, hint=""))


def test_a_missing_or_empty_folder_is_named_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder .*nowhere; look elsewhere"):
        list_images(tmp_path / "nowhere", ALL, hint="look elsewhere")
    fill(tmp_path, "notes.txt")
    with pytest.raises(UserError, match=r"there are no images in .*\.png.*; make some"):
        list_images(tmp_path, ALL, hint="make some")


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, "a.png", "secret/b.png")
    scandir = os.scandir

    def refuse(path: str) -> object:
        if "secret" in path:
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match=r"cannot read the folder .*secret/ \(Permission denied\); make it readable"):
        list_images(tmp_path, ALL, hint="")


def test_links_are_followed_and_each_name_counts(tmp_path: Path) -> None:
    fill(tmp_path, "elsewhere/1.png", "elsewhere/deep/2.png", "root/own.png")
    root = tmp_path / "root"
    (root / "one").symlink_to(tmp_path / "elsewhere")
    (root / "two").symlink_to(tmp_path / "elsewhere")
    (root / "file.png").symlink_to(tmp_path / "elsewhere" / "1.png")
    assert found(root) == ["file.png", "one/1.png", "one/deep/2.png", "own.png", "two/1.png", "two/deep/2.png"]
    assert found(root / "one") == ["1.png", "deep/2.png"]


def test_circles_of_links_end(tmp_path: Path) -> None:
    fill(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "a" / "b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "a").symlink_to(tmp_path / "a")
    assert found(tmp_path) == ["a/1.png", "a/b/2.png", "b/2.png", "b/a/1.png"]


def test_broken_links_are_counted_in_one_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path, "a.png")
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "folder").symlink_to(tmp_path / "no folder")
    (tmp_path / "self.png").symlink_to(tmp_path / "self.png")
    assert found(tmp_path) == ["a.png"]
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert warning.startswith(f"3 links below {tmp_path} lead nowhere")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_text_can_be_opened(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"caf\xe9.png")).write_bytes(b"here")
    (path,) = pickle.loads(pickle.dumps(list_images(tmp_path, ALL, hint="")))
    assert Path(path).read_bytes() == b"here"


NAMES = ["a.png", "b/ü.png", "c d/e.png", "", "../up.png", "z"]


def test_a_list_of_paths_reads_like_a_list() -> None:
    paths, expected = PathList.of("root", NAMES), [os.path.join("root", name) for name in NAMES]
    assert list(paths) == [paths[index] for index in range(len(paths))] == expected
    assert (paths.root, paths[-1], paths[-6], paths.relative(1)) == ("root", "root/z", "root/a.png", "b/ü.png")
    assert expected[2] in paths
    assert "root/x" not in paths
    for chosen in (slice(2), slice(1, 4), slice(4, 2), slice(-2, None), slice(None, None, -1), slice(0, 9, 2)):
        assert list(paths[chosen]) == expected[chosen]
        assert list(paths[chosen][1:]) == expected[chosen][1:]
    assert list(paths.head(9)) == expected
    for index in (6, -7):
        with pytest.raises(IndexError):
            paths[index]


def test_an_empty_list_and_a_bad_path() -> None:
    assert list(PathList.of("root", [])) == []
    assert not PathList.of("root", [])
    with pytest.raises(UserError, match="character of code 0"):
        PathList.of("root", ["a", "b\0c"])


def test_a_part_is_sent_without_the_rest() -> None:
    paths = PathList.of("/data", [f"folder/{index:06d}.png" for index in range(10_000)])
    part = pickle.dumps(paths[5000:5010])
    assert len(part) < 1000
    assert list(pickle.loads(part)) == [f"/data/folder/{index:06d}.png" for index in range(5000, 5010)]
    assert len(pickle.dumps(paths)) < 10_000 * (len("folder/000000.png") + 6)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder; three files make a large folder, and folders may be fresh."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(image_folder, "LARGE", 3)
    monkeypatch.setattr(file_index, "SETTLED", 0)
    return tmp_path / "cache" / "image-translation" / "index"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four images in three folders."""
    root = fill(tmp_path / "root", "a/1.png", "a/2.png", "b/3.png", "ü/4.png")
    time.sleep(TICK)
    return root


def without_looking(root: Path, limit: float = ALL) -> list[str]:
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


def test_a_small_folder_gets_no_index(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_folder, "LARGE", 5)
    assert found(root) == HELD
    assert not cache.exists()


def test_a_folder_that_changed_a_moment_ago_gets_no_index(
    root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_index, "SETTLED", 2 * 10**9)
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


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_noticed(root: Path, change: str) -> None:
    assert found(root) == HELD
    act, expected = CHANGES[change]
    act(root)
    assert found(root) == expected
    assert found(root) == expected


@pytest.mark.usefixtures("cache")
def test_an_index_for_other_extensions_is_not_used(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(root, "a/5.xyz")
    assert found(root) == HELD
    monkeypatch.setattr(image_folder, "EXTENSIONS", (*image_folder.EXTENSIONS, ".xyz"))
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


def test_a_full_disk_leaves_nothing_of_an_index(root: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert found(root) == HELD
    assert list(cache.iterdir()) == []


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
