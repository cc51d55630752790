"""Fetching and unpacking, against a small server on this machine."""

import hashlib
import shutil
from pathlib import Path

import pytest

from datasets.download import SETS, main
from tests.datasets.conftest import Refusal
from tests.serving import Mirror, tarred, zipped

ZIP, TAR = "/cyclegan/datasets/{}.zip", "/pix2pix/datasets/{}.tar.gz"


def fetch(mirror: Mirror, folder: Path, name: str, *more: str) -> int:
    return main([name, "--to", str(folder), "--base_url", mirror.url, *more])


def test_a_zip_of_the_cyclegan_family_is_unpacked(
    mirror: Mirror, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": b"a", "mini/testB/1.jpg": b"b"})
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == b"a"
    assert [path.name for path in tmp_path.iterdir()] == ["mini"]
    assert "testB 1, trainA 1" in capsys.readouterr().out


def test_names_of_both_families_default_to_pix2pix(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files[TAR.format("facades")] = tarred({"facades/train/1.jpg": b"pair"})
    mirror.files[ZIP.format("facades")] = zipped({"facades/trainA/1.jpg": b"a"})
    assert fetch(mirror, tmp_path / "one", "facades") == 0
    assert fetch(mirror, tmp_path / "two", "facades", "--family", "cyclegan") == 0
    assert (tmp_path / "one" / "facades" / "train" / "1.jpg").exists()
    assert (tmp_path / "two" / "facades" / "trainA" / "1.jpg").exists()


def test_an_archive_without_a_top_folder_gets_one(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files[ZIP.format("mini")] = zipped({"trainA/1.jpg": b"a", "trainB/1.jpg": b"b"})
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainB" / "1.jpg").exists()


@pytest.mark.parametrize("resumes", [True, False])
def test_an_interrupted_download_goes_on(mirror: Mirror, tmp_path: Path, refusal: Refusal, resumes: bool) -> None:
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": bytes(range(256)) * 40})
    mirror.cuts, mirror.resumes = [5000], resumes
    assert "run the command again" in refusal(fetch(mirror, tmp_path, "mini"))
    assert not (tmp_path / "mini").exists()
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == [None, "bytes=5000-"]
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == bytes(range(256)) * 40


def test_a_download_that_was_whole_is_not_fetched_twice(mirror: Mirror, tmp_path: Path) -> None:
    content = zipped({"mini/trainA/1.jpg": b"a"})
    mirror.files[ZIP.format("mini")] = content
    (tmp_path / ".cyclegan-mini.zip.partial").write_bytes(content)
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == [f"bytes={len(content)}-"]


def test_more_than_the_server_has_is_fetched_anew(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": b"a"})
    (tmp_path / ".cyclegan-mini.zip.partial").write_bytes(bytes(9999))
    assert fetch(mirror, tmp_path, "mini") == 0
    assert mirror.ranges == ["bytes=9999-", None]


EVIL = {"x/1.jpg": b"a", "../../evil.txt": b"evil"}


@pytest.mark.parametrize(
    ("name", "path", "content", "words"),
    [
        ("mini", ZIP, b"<html>not an archive</html>", "damaged"),
        ("maps", TAR, b"<html>not an archive</html>", "damaged"),
        ("mini", ZIP, zipped(EVIL), "outside its folder"),
        ("maps", TAR, tarred(EVIL), "outside its folder"),
    ],
)
def test_a_bad_archive_leaves_nothing_behind(
    mirror: Mirror, tmp_path: Path, refusal: Refusal, name: str, path: str, content: bytes, words: str
) -> None:
    mirror.files[path.format(name)] = content
    assert words in refusal(fetch(mirror, tmp_path / "to", name))
    assert list(tmp_path.rglob("*")) == [tmp_path / "to"]


def test_a_missing_file_is_told_with_its_address(mirror: Mirror, tmp_path: Path, refusal: Refusal) -> None:
    assert "/cyclegan/datasets/horse2zebra.zip answered 404" in refusal(fetch(mirror, tmp_path, "horse2zebra"))


def test_no_network_is_one_sentence(tmp_path: Path, refusal: Refusal) -> None:
    assert "check the network" in refusal(main(["mini", "--to", str(tmp_path), "--base_url", "http://127.0.0.1:9"]))


def test_an_existing_folder_is_left_alone(mirror: Mirror, tmp_path: Path, refusal: Refusal) -> None:
    (tmp_path / "mini").mkdir()
    assert "exists already" in refusal(fetch(mirror, tmp_path, "mini"))
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
def test_wrong_requests_are_refused_before_any_download(
    tmp_path: Path, refusal: Refusal, flags: list[str], words: str
) -> None:
    assert words in refusal(main([*flags, "--to", str(tmp_path)]))
    assert not any(tmp_path.iterdir())


def test_a_checksum_can_be_demanded(mirror: Mirror, tmp_path: Path, refusal: Refusal) -> None:
    content = zipped({"mini/trainA/1.jpg": b"a"})
    mirror.files[ZIP.format("mini")] = content
    assert hashlib.sha256(content).hexdigest() in refusal(fetch(mirror, tmp_path, "mini", "--sha256", "0" * 64))
    assert not any(tmp_path.iterdir())
    assert fetch(mirror, tmp_path, "mini", "--sha256", hashlib.sha256(content).hexdigest().upper()) == 0


def test_an_archive_outlives_a_full_disk(
    mirror: Mirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: Refusal
) -> None:
    mirror.files[ZIP.format("mini")] = zipped({"mini/trainA/1.jpg": b"abc"})
    full = shutil.disk_usage(tmp_path)._replace(free=2)
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: full)
        assert "too full" in refusal(fetch(mirror, tmp_path, "mini"))
    mirror.files.clear()
    assert fetch(mirror, tmp_path, "mini") == 0
    assert (tmp_path / "mini" / "trainA" / "1.jpg").read_bytes() == b"abc"


@pytest.mark.parametrize("family", list(SETS))
def test_the_help_names_every_set(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert [name for name in SETS[family] if name not in text] == []
