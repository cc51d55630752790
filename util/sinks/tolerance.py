"""Writing that a full disk or a lost share must not turn into a lost training."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)


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
