"""Unpack a zip or tar.gz all or nothing, and never outside its folder.

Only plain files and folders come out: no links, no devices, no permissions, no second file of one name, nothing that
fills the disk. Every checksum in the archive is compared.
"""

import gzip
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import IO, NamedTuple

from options.errors import DamagedError, UserError

LONGEST_NAME = 255  # bytes of one part, on all usual file systems
DEEPEST = 32  # folders
MOST_ENTRIES = 1_000_000
USUAL_BYTES = 1 << 30  # up to here any ratio is fine
MOST_GROWTH = 200  # times the archive; images hardly grow at all
CHUNK_BYTES = 1 << 20
DAMAGE = (
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    tarfile.TarError,
    EOFError,
    zlib.error,
    struct.error,
    NotImplementedError,  # a compression that Python lacks
    RuntimeError,  # a password
    UnicodeError,
)


class Entry(NamedTuple):
    """A file or folder in an archive; ``content`` is None for a folder."""

    name: str
    size: int
    content: IO[bytes] | None


def unpack(archive: Path, target: Path) -> None:
    """Unpack beside ``target`` and rename, so that ``target`` is either whole or absent.

    A single folder at the top of the archive becomes ``target`` itself.

    Raises:
        DamagedError: the archive is damaged, or made to do harm.
        UserError: the disk has no room for it.
    """
    with tempfile.TemporaryDirectory(prefix=f".{target.name}-", dir=target.parent, ignore_cleanup_errors=True) as work:
        content = Path(work, "content")
        content.mkdir()
        _extract(archive, content)
        top = [path for path in content.iterdir() if path.name != "__MACOSX"]
        if not top:
            raise DamagedError("the archive is empty; nothing was unpacked")
        os.rename(top[0] if len(top) == 1 and top[0].is_dir() else content, target)


def _extract(archive: Path, into: Path) -> None:
    most = max(USUAL_BYTES, MOST_GROWTH * archive.stat().st_size)
    total = 0
    try:
        for count, entry in enumerate(_entries(archive)):
            total += entry.size
            if total > most or count >= MOST_ENTRIES:
                raise DamagedError(f"the archive is a bomb ({count + 1} entries, {total} bytes); it was not unpacked")
            if entry.size > shutil.disk_usage(into).free:
                raise UserError(
                    f"the disk is too full to unpack {archive}; free some space or choose another with --to"
                )
            _write(entry, into)
    except DAMAGE as error:
        raise DamagedError(f"the archive is damaged ({error}); run the command again to fetch it anew") from error


def _entries(archive: Path) -> Iterator[Entry]:
    """Yield the entries in their order; each must be read before the next."""
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as packed:
            for info in packed.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise _outside(info.filename)
                if info.is_dir():
                    yield Entry(info.filename, 0, None)
                else:
                    with packed.open(info) as content:
                        yield Entry(info.filename, info.file_size, content)
    else:
        with gzip.open(archive) as stream:
            with tarfile.open(fileobj=stream, mode="r|") as packed_tar:
                for member in packed_tar:
                    if not (member.isreg() or member.isdir()):  # links, even inside, have led out of folders before
                        raise _outside(member.name)
                    yield Entry(member.name, member.size, packed_tar.extractfile(member))
            while stream.read(CHUNK_BYTES):  # to the end, where the checksum is
                pass


def _write(entry: Entry, into: Path) -> None:
    path = into.joinpath(*_safe_parts(entry.name))
    try:
        if entry.content is None:
            path.mkdir(parents=True, exist_ok=True)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as file:  # a second file of this name, or of one that differs in case on some disks
            shutil.copyfileobj(entry.content, file, CHUNK_BYTES)
    except (FileExistsError, NotADirectoryError) as error:
        raise DamagedError(f"the archive holds two files of one name ({entry.name}); it was not unpacked") from error
    if path.stat().st_size != entry.size:
        raise DamagedError(f"the archive is damaged ({entry.name} is cut off); run the command again to fetch it anew")


def _safe_parts(name: str) -> tuple[str, ...]:
    """Split a name at both kinds of slash, after a look at whether it stays inside on every system."""
    path = PureWindowsPath(name)
    parts = path.parts
    if path.drive or path.root or ".." in parts or "\0" in name:
        raise _outside(name)
    if len(parts) > DEEPEST or any(len(os.fsencode(part)) > LONGEST_NAME for part in parts):
        raise DamagedError(f"the archive holds a name that is too long ({name[:60]}...); it was not unpacked")
    return parts


def _outside(name: str) -> UserError:
    return DamagedError(f"the archive wants to write outside its folder ({name}); it was not unpacked")
