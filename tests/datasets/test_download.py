"""Fetching and unpacking, against a small server on this machine."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from datasets.download import SETS, main
from tests.datasets.mirror import Mirror, serving, tarred, zipped


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    with serving() as server:
        yield server


ZIP, TAR = "/cyclegan/datasets/{}.zip", "/pix2pix/datasets/{}.tar.gz"


def fetch(mirror, folder, name, *more):
    return main([name, "--to", str(folder), "--base_url", mirror.url, *more])


def test_a_zip_of_the_cyclegan_family_is_unpacked(mirror, tmp_path, capsys):
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": b"a", "mini/testB/1.jpg": b"b"})
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == b"a"
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]
    assert "testB 1, trainA 1" in capsys.readouterr().out


def test_names_of_both_families_default_to_pix2pix(mirror, tmp_path):
    mirror.files[TAR.format("facades")] = tarred({"facades/train/1.jpg": b"pair"})
    mirror.files[ZIP.format("facades")] = zipped({"facades/trainA/1.jpg": b"a"})
    assert fetch(mirror, tmp_path / "one", "facades") == 0
    assert fetch(mirror, tmp_path / "two", "facades", "--family", "cyclegan") == 0
    assert (tmp_path / "one" / "facades" / "train" / "1.jpg").exists()
    assert (tmp_path / "two" / "facades" / "trainA" / "1.jpg").exists()


def test_an_archive_without_a_top_folder_gets_one(mirror, tmp_path):
    mirror.files[ZIP.format("mini")] = zipped({"trainA/1.jpg": b"a", "trainB/1.jpg": b"b"})
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainB" / "1.jpg").exists()


@pytest.mark.parametrize("resumes", [True, False])
def test_an_interrupted_download_goes_on(mirror, tmp_path, capsys, resumes):
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": bytes(range(256)) * 40})
    mirror.cut_after, mirror.resumes = 5000, resumes
    assert fetch(mirror, tmp_path, "mini") == 2
    assert "run the command again" in capsys.readouterr().err
    assert not (tmp_path / "mini").exists()
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == [None, "bytes=5000-"]
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == bytes(range(256)) * 40


def test_a_download_that_was_whole_is_not_fetched_twice(mirror, tmp_path):
    content = zipped({"mini/trainA/1.jpg": b"a"})
    mirror.files[ZIP.format("mini")] = content
    (tmp_path / ".cyclegan-mini.zip.partial").write_bytes(content)
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == [f"bytes={len(content)}-"]


@pytest.mark.parametrize("name", ["../evil.txt", "mini/../../evil.txt", "/evil.txt", "mini\\..\\..\\evil.txt"])
def test_a_zip_that_reaches_outside_is_refused(mirror, tmp_path, capsys, name):
    mirror.files[ZIP.format("mini")] = zipped({"mini/1.jpg": b"a", name: b"evil"})
    assert fetch(mirror, tmp_path / "to", "mini") == 2
    assert "outside its folder" in capsys.readouterr().err
    assert not any((tmp_path / "to").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


def test_a_tar_that_reaches_outside_is_refused(mirror, tmp_path, capsys):
    mirror.files[TAR.format("maps")] = tarred({"maps/1.jpg": b"a", "../../evil.txt": b"evil"})
    assert fetch(mirror, tmp_path / "to", "maps") == 2
    assert "outside its folder" in capsys.readouterr().err
    assert not any((tmp_path / "to").iterdir())
    assert [path.name for path in tmp_path.iterdir()] == ["to"]


@pytest.mark.parametrize(("name", "path"), [("mini", ZIP), ("maps", TAR)])
def test_a_damaged_archive_leaves_nothing_behind(mirror, tmp_path, capsys, name, path):
    mirror.files[path.format(name)] = b"<html>not an archive</html>"
    assert fetch(mirror, tmp_path, name) == 2
    assert "damaged" in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_a_missing_file_is_told_with_its_address(mirror, tmp_path, capsys):
    assert fetch(mirror, tmp_path, "horse2zebra") == 2
    message = capsys.readouterr().err
    assert "/cyclegan/datasets/horse2zebra.zip answered 404" in message
    assert message.count("\n") == 1


def test_no_network_is_one_sentence(tmp_path, capsys):
    assert main(["mini", "--to", str(tmp_path), "--base_url", "http://127.0.0.1:9"]) == 2
    message = capsys.readouterr().err
    assert "check the network" in message
    assert message.count("\n") == 1


def test_an_existing_folder_is_left_alone(mirror, tmp_path, capsys):
    (tmp_path / "mini").mkdir()
    assert fetch(mirror, tmp_path, "mini") == 2
    assert "exists already" in capsys.readouterr().err
    assert mirror.ranges == []


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["cityscapes"], "licence"),
        (["horse2cow"], "choose one of"),
        (["horse2zebra", "--family", "pix2pix"], "not in the pix2pix family"),
        (["mini", "--base_url", "file:///etc"], "must start with http"),
        (["mini", "--sha256", "abc"], "64 hexadecimal digits"),
        (["emoji", "--family", "pix2pix"], "emoji has no family"),
        (["emoji", "--base_url", "file:///etc"], "must start with http"),
    ],
)
def test_wrong_requests_are_refused_before_any_download(tmp_path, capsys, flags, words):
    assert main([*flags, "--to", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_a_checksum_can_be_demanded(mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = zipped({"mini/trainA/1.jpg": b"a"})
    mirror.files[ZIP.format("mini")] = content
    assert fetch(mirror, tmp_path, "mini", "--sha256", "0" * 64) == 2
    message = capsys.readouterr().err
    assert hashlib.sha256(content).hexdigest() in message
    assert not any(tmp_path.iterdir())
    assert fetch(mirror, tmp_path, "mini", "--sha256", hashlib.sha256(content).hexdigest().upper()) == 0


def test_an_archive_outlives_a_full_disk(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": b"abc"})
    full = shutil.disk_usage(tmp_path)._replace(free=2)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: full)
        assert fetch(mirror, tmp_path, "mini") == 2
    assert "too full" in capsys.readouterr().err
    mirror.files.clear()
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == b"abc"


@pytest.mark.parametrize("family", list(SETS))
def test_the_help_names_every_set(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert [name for name in SETS[family] if name not in text] == []
