"""The folder of uploads and results, which nobody else on the machine can read and which is gone with the program."""

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

ODD = re.compile(r"[^\w.-]+")
LONGEST_NAME = 80  # characters
EVERY = 60.0  # seconds between two looks for old files
LEAST_FREE = 2**29  # bytes of the disk that are left to others


class Store:
    """Files in a temporary folder, deleted some time after they were made. A context manager: at its end all are."""

    def __init__(self, keep_seconds: float) -> None:
        self._holder = tempfile.TemporaryDirectory(prefix="translations-", ignore_cleanup_errors=True)
        self.folder = Path(self._holder.name).resolve()
        self.keep_seconds = keep_seconds
        self._closed = threading.Event()

    def __enter__(self) -> "Store":
        threading.Thread(target=self._tidy, name="tidy", daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._closed.set()
        self._holder.cleanup()

    def new(self, name: str) -> Path:
        """Return a path for a file of this name; its folder is there, the file is not."""
        folder = self.folder / secrets.token_hex(16)
        folder.mkdir()
        return folder / safe_name(name)

    def drop(self, path: Path) -> None:
        """Delete a file that ``new`` has named, whether it was written or not."""
        shutil.rmtree(path.parent, ignore_errors=True)

    def copy(self, path: Path) -> Path:
        """Return a copy of a file, the same one as long as that does not change.

        Raises:
            OSError: it cannot be read.
        """
        return self.made_of(path, "copy", path.name, lambda copy: shutil.copyfile(path, copy))

    def made_of(self, path: Path, what: str, name: str, make: Callable[[Path], object]) -> Path:
        """Return what is made of a file, from the last time as long as that file does not change.

        Args:
            what: tells it from other things that are made of the same file.
            name: of the file to be made.
            make: writes it to the path that it is given.

        Raises:
            OSError: the file cannot be read; and whatever ``make`` raises.
        """
        stat = path.stat()
        key = f"{path.resolve()} {stat.st_mtime_ns} {stat.st_size} {what}"
        made = self.folder / hashlib.sha256(os.fsencode(key)).hexdigest() / safe_name(name)
        if made.exists():
            os.utime(made)  # it is as young as a new one
            return made
        made.parent.mkdir(exist_ok=True)
        half = made.with_name(f"{secrets.token_hex(8)}.tmp")
        make(half)
        return half.replace(made)

    def holds(self, path: str | os.PathLike[str]) -> bool:
        """Tell whether a path is that of a file in here, links followed."""
        with contextlib.suppress(OSError, ValueError):
            real = Path(path).resolve()
            return real.is_relative_to(self.folder) and real.is_file()
        return False

    def is_full(self) -> bool:
        """Tell whether the disk has hardly any room left."""
        return shutil.disk_usage(self.folder).free < LEAST_FREE

    def sweep(self) -> None:
        """Delete what is old, also what uploads that broke off have left."""
        oldest = time.time() - self.keep_seconds
        for folder, folders, files in os.walk(self.folder, topdown=False):
            for path in (Path(folder, name) for name in files):
                with contextlib.suppress(OSError):  # somebody else has deleted it
                    if path.lstat().st_ctime < oldest:
                        path.unlink()
            for path in (Path(folder, name) for name in folders):
                with contextlib.suppress(OSError):  # it holds something
                    if path.stat().st_mtime < oldest:
                        path.rmdir()

    def _tidy(self) -> None:
        while not self._closed.wait(EVERY):
            self.sweep()


def safe_name(name: str) -> str:
    """Return the last part of a name without what file systems and headers take amiss."""
    plain = ODD.sub("_", Path(name.replace("\\", "/")).name).lstrip(".")
    stem, ending = os.path.splitext(plain)
    return (stem[:LONGEST_NAME] or "image") + ending[:10]
