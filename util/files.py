"""Writing files on disks that may be full, away or killed: whole or not at all, or line by line."""

import errno
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

log = logging.getLogger(__name__)

TEMPORARY = ".tmp"  # ends the name of a file that is being written


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of the one at ``path`` when the body is done.

    A reader sees the old one or the new one, never half of it. Several processes may write the same one; the last that
    ends wins. After an error nothing is left; one of the disk names ``path``.
    """
    temporary = path.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")
    try:
        with temporary.open("wb") as file:
            yield file
        os.replace(temporary, path)
    except OSError as error:
        if error.errno and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        with suppress(OSError):  # most often it is gone: it became the file
            temporary.unlink()


class Tolerance:
    """Turn an ``OSError`` into one warning per outage; the next attempt is made as usual."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.failed = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Run the body; a failure warns only if the attempt before it succeeded."""
        try:
            yield
        except OSError as error:
            if not self.failed:
                log.warning("cannot write %s (%s); going on, the next write tries again", self._path, error)
            self.failed = True
        else:
            self.failed = False


class LineWriter:
    """Append lines to a text file, each whole when the call returns; lines that were refused come with the next.

    The file is opened for each line: a few microseconds at this rate, and it survives a file that was
    moved away or a network share that came back.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tolerance = Tolerance(path)
        self._pending: list[str] = []

    def write(self, line: str) -> None:
        """Append one line, after those that are still to be written."""
        self._pending.append(line)
        text = "".join(f"{pending}\n" for pending in self._pending).encode()
        with self._tolerance(), self._path.open("ab", buffering=0) as file:
            start = file.seek(0, os.SEEK_END)
            if file.write(text) < len(text):
                file.truncate(start)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._pending.clear()
