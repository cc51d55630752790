"""The folder of uploads and results."""

import os
from pathlib import Path

import pytest

from inference.app.store import Store, safe_name


def test_it_is_private_and_gone_at_the_end() -> None:
    with Store(60) as store:
        path = store.new("a.png")
        path.write_bytes(b"x")
        assert store.folder.stat().st_mode & 0o077 == 0
        assert store.new("a.png") != path
    assert not store.folder.exists()


def test_old_files_are_deleted_and_young_ones_kept() -> None:
    with Store(3600) as store:
        result, half = store.new("result.png"), store.folder / "upload-that-broke-off"
        for path in (result, half):
            path.write_bytes(b"x")
        store.sweep()
        assert result.exists()
        store.keep_seconds = -1  # everything is older than this
        store.sweep()
        assert list(store.folder.iterdir()) == []


def test_what_is_not_needed_any_more_is_dropped_with_its_folder() -> None:
    with Store(60) as store:
        path = store.new("a.png")
        store.drop(path)
        store.drop(path)
        assert list(store.folder.iterdir()) == []


def test_a_copy_is_made_once_until_the_file_changes(tmp_path: Path) -> None:
    source = tmp_path / "epoch001_fake_B.png"
    source.write_bytes(b"one")
    with Store(60) as store:
        first = store.copy(source)
        assert first == store.copy(source)
        assert first.read_bytes() == b"one"
        source.write_bytes(b"other")
        assert store.copy(source).read_bytes() == b"other"
        with pytest.raises(OSError, match="nothing"):
            store.copy(tmp_path / "nothing")


def test_only_its_own_files_are_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "secret"
    outside.write_text("x")
    with Store(60) as store:
        path = store.new("a.png")
        assert not store.holds(path)
        path.write_bytes(b"x")
        assert store.holds(path)
        link = store.new("link.png")
        os.symlink(outside, link)
        for other in (link, outside, "/etc/passwd", store.folder, path.parent / ".." / ".." / ".." / "etc", "a\0b"):
            assert not store.holds(other), other


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("horse.jpg", "horse.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\images\\a b.png", "a_b.png"),
        ('x"\r\nSet-Cookie: a.png', "x_Set-Cookie_a.png"),
        (".hidden", "hidden"),
        ("x" * 300 + ".png", "x" * 80 + ".png"),
        ("", "image"),
    ],
)
def test_names_are_made_harmless(given: str, wanted: str) -> None:
    assert safe_name(given) == wanted
