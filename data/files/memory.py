"""What is remembered from one training to the next, in the user's cache folder.

It is a convenience: what is damaged or cannot be written costs another look and nothing else.
"""

import hashlib
import logging
import os
import sys
from pathlib import Path

from util.files import whole_file

log = logging.getLogger(__name__)


class Memory:
    """A file that holds what is known about one thing.

    Attributes:
        path: None where the user has no cache folder.
    """

    def __init__(self, kind: str, about: str) -> None:
        folder = cache_folder()
        self.path = folder and folder / kind / hashlib.sha256(os.fsencode(about)).hexdigest()

    def read(self) -> bytes | None:
        """Return what was written last; None if there is nothing that can be read."""
        try:
            return self.path.read_bytes() if self.path else None
        except FileNotFoundError:
            return None
        except OSError as error:
            log.info("cannot read %s (%s); looking again", self.path, error.strerror)
            return None

    def write(self, content: bytes, what: str) -> None:
        """Take the place of what was known.

        Args:
            what: it is, for the log.
        """
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(self.path) as file:
                file.write(content)
        except OSError as error:
            log.info("cannot keep %s in %s (%s)", what, self.path.parent, error.strerror)


def cache_folder() -> Path | None:
    """Return where the user keeps what can be made again; None if there is no such place."""
    system = {"darwin": "~/Library/Caches", "win32": os.environ.get("LOCALAPPDATA", "")}.get(sys.platform, "~/.cache")
    for name in (os.environ.get("XDG_CACHE_HOME", ""), os.path.expanduser(system)):
        if os.path.isabs(name):
            return Path(name) / "image-translation"
    return None


def file_stamp(path: str) -> str:
    """Return what changes when a file does; empty if it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return ""
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
