"""Unpacking archives that are damaged or made to do harm."""

import gzip
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets import archive as archive_module
from datasets.archive import unpack
from options.errors import DamagedError
from tests.serving import tarred, zipped

Pack = Callable[[dict[str, bytes]], bytes]
PACKERS = pytest.mark.parametrize(("ending", "pack"), [(".zip", zipped), (".tar.gz", tarred)])


def refused(tmp_path: Path, ending: str, content: bytes) -> str:
    """Unpack into a folder of its own; nothing may be left there or beside it. Return the message."""
    packed = tmp_path / f"packed{ending}"
    packed.write_bytes(content)
    inner = tmp_path / "inner"
    inner.mkdir()
    with pytest.raises(DamagedError) as caught:
        unpack(packed, inner / "target")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inner", packed.name]
    return str(caught.value)


@PACKERS
def test_files_and_folders_come_out_as_they_were(tmp_path: Path, ending: str, pack: Pack) -> None:
    files = {"set/a/1.jpg": b"one", "set/b/2.jpg": bytes(range(256)) * 9999, "set/empty.txt": b""}
    packed = tmp_path / f"packed{ending}"
    packed.write_bytes(pack(files))
    unpack(packed, tmp_path / "target")
    found = {f"set/{path.relative_to(tmp_path / 'target').as_posix()}": path for path in tmp_path.rglob("target/**/*")}
    assert {name: path.read_bytes() for name, path in found.items() if path.is_file()} == files


def test_empty_folders_come_out_too(tmp_path: Path) -> None:
    (tmp_path / "packed.zip").write_bytes(zipped({"set/none/": b"", "set/1.jpg": b"one"}))
    unpack(tmp_path / "packed.zip", tmp_path / "target")
    assert sorted(path.name for path in (tmp_path / "target").iterdir()) == ["1.jpg", "none"]


@PACKERS
@pytest.mark.parametrize(
    "name",
    ["/etc/evil", "../evil", "a/../../evil", "C:\\evil", "C:evil", "\\evil", "..\\evil", "\\\\host\\share\\evil"],
)
def test_names_that_lead_outside(tmp_path: Path, ending: str, pack: Pack, name: str) -> None:
    assert "outside its folder" in refused(tmp_path, ending, pack({"a/1.jpg": b"a", name: b"evil"}))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_links_or_devices(tmp_path: Path, kind: bytes) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as packed:
        member, then = tarfile.TarInfo("a"), tarfile.TarInfo("a/evil")
        member.type, member.linkname = kind, "b"  # a link inside the folder is refused, too
        packed.addfile(member)
        then.size = 4
        packed.addfile(then, io.BytesIO(b"evil"))
    assert "outside its folder" in refused(tmp_path, ".tar.gz", buffer.getvalue())


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_a_zip_with_links_or_devices(tmp_path: Path, kind: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        entry = zipfile.ZipInfo("a")
        entry.create_system, entry.external_attr = 3, (kind | 0o644) << 16
        packed.writestr(entry, "/etc")
    assert "outside its folder" in refused(tmp_path, ".zip", buffer.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("a/1.jpg", "first")
        packed.writestr("a\\1.jpg" if os.sep == "/" else "a/1.jpg", "second")
    assert "two files of one name" in refused(tmp_path, ".zip", buffer.getvalue())


@PACKERS
@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a")])
def test_a_name_that_is_file_and_folder(tmp_path: Path, ending: str, pack: Pack, names: tuple[str, str]) -> None:
    assert "two files of one name" in refused(tmp_path, ending, pack({names[0]: b"1", names[1]: b"2"}))


@PACKERS
@pytest.mark.parametrize("name", ["x" * 300, "/".join("x" * 40)])
def test_names_that_are_too_long_or_deep(tmp_path: Path, ending: str, pack: Pack, name: str) -> None:
    assert "too long" in refused(tmp_path, ending, pack({name: b"1"}))


@PACKERS
@pytest.mark.parametrize("files", [{"a": bytes(600), "b": bytes(600)}, {f"{i}.jpg": b"" for i in range(6)}])
def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, ending: str, pack: Pack, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for limit, value in (("USUAL_BYTES", 1000), ("MOST_GROWTH", 0), ("MOST_ENTRIES", 5)):
        monkeypatch.setattr(archive_module, limit, value)
    assert "bomb" in refused(tmp_path, ending, pack(files))


@pytest.mark.parametrize(("size", "words"), [(10, "damaged"), (200, "a is cut off")])
def test_a_zip_with_wrong_sizes(tmp_path: Path, size: int, words: str) -> None:
    content = bytearray(zipped({"a": bytes(100)}))
    directory = content.rindex(b"PK\x01\x02")
    content[directory + 24] = size  # the size after unpacking
    assert words in refused(tmp_path, ".zip", bytes(content))


def test_a_wrong_checksum_far_behind_a_tar(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(gzip.decompress(tarred({"a": b"x"})) + bytes(200_000)))
    content[-8] ^= 1
    assert "damaged" in refused(tmp_path, ".tar.gz", bytes(content))


@PACKERS
def test_one_wrong_bit(tmp_path: Path, ending: str, pack: Pack) -> None:
    content = bytearray(pack({"a": os.urandom(5000), "b": b"x"}))
    content[2500] ^= 1  # random bytes are stored as they are: only a checksum can tell
    assert "damaged" in refused(tmp_path, ending, bytes(content))


@PACKERS
def test_an_archive_that_was_cut_off(tmp_path: Path, ending: str, pack: Pack) -> None:
    content = pack({"a": os.urandom(5000), "b": os.urandom(5000)})
    assert "damaged" in refused(tmp_path, ending, content[:-6])


def test_a_cut_tar_inside_a_whole_gzip(tmp_path: Path) -> None:
    content = gzip.decompress(tarred({"a": bytes(5000)}))
    assert "damaged" in refused(tmp_path, ".tar.gz", gzip.compress(content[:3000]))


def test_a_zip_with_a_password(tmp_path: Path) -> None:
    content = bytearray(zipped({"a": b"secret"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    assert "password" in refused(tmp_path, ".zip", bytes(content))


@PACKERS
def test_an_empty_archive(tmp_path: Path, ending: str, pack: Pack) -> None:
    assert "empty" in refused(tmp_path, ending, pack({}))
