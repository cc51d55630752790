"""One training per run folder.

The system releases the lock when the process that holds it ends, however it ends.
"""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from options.errors import UserError

LOCK_FILE, HOLDER_FILE = ".lock", ".lock_holder"
PATIENCE = 8.0  # seconds: with filelock 3 the loading processes of a killed run hold on until they miss their parent


@contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a run folder while the body runs.

    Raises:
        UserError: another training holds it.
        OSError: the folder cannot be written.
    """
    lock, holder = FileLock(folder / LOCK_FILE), folder / HOLDER_FILE
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise UserError(
            f"another training is at work in {folder} ({_read(holder)}); stop it first, or choose another --name"
        ) from None
    try:
        holder.write_text(f"process {os.getpid()} on {socket.gethostname()}, since {time.strftime('%c')}\n")
        yield
    finally:
        lock.release()


def _read(holder: Path) -> str:
    try:
        return holder.read_text().strip() or "by whom is not recorded"
    except OSError:
        return "by whom is not recorded"
