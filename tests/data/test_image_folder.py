"""What lies below a folder is found whole, in order and without rounds."""

import logging
import os
import pickle
import sys
from pathlib import Path

import pytest

from data.files.folder import list_images
from options.errors import UserError
from tests.data.conftest import found
from tests.images import fill

ALL = float("inf")


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
