"""Unpack a zip or tar.gz all or nothing, and never outside its folder."""

import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from options.errors import UserError


def _check_zip_names(archive: zipfile.ZipFile) -> None:
    for entry in archive.infolist():
        name = PurePosixPath(entry.filename.replace("\\", "/"))
        outside = name.is_absolute() or ".." in name.parts or ":" in entry.filename
        if outside or stat.S_ISLNK(entry.external_attr >> 16):
            raise UserError(f"the archive wants to write outside its folder ({entry.filename}); it was not unpacked")


def _extract(path: Path, into: Path) -> None:
    try:
        if path.name.endswith(".zip"):
            with zipfile.ZipFile(path) as packed:
                _check_zip_names(packed)
                packed.extractall(into)
        else:
            with tarfile.open(path) as packed_tar:
                packed_tar.extractall(into, filter="data")
    except tarfile.FilterError as error:
        raise UserError(f"the archive wants to write outside its folder ({error}); it was not unpacked") from error
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error) as error:
        raise UserError(f"the archive is damaged ({error}); run the command again to fetch it anew") from error


def unpack(archive: Path, target: Path) -> None:
    """Unpack beside ``target`` and rename, so that ``target`` is either whole or absent.

    A single folder at the top of the archive becomes ``target`` itself.

    Raises:
        UserError: for damaged archives and for entries that point outside.
    """
    work = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        content = work / "content"
        content.mkdir()
        _extract(archive, content)
        top = [path for path in content.iterdir() if path.name != "__MACOSX"]
        if not top:
            raise UserError("the archive is empty; nothing was unpacked")
        os.rename(top[0] if len(top) == 1 and top[0].is_dir() else content, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
