"""The arena that a cache lies in: new in memory, or in the one cache file of a folder.

It begins with a head, which says how the rest is laid out; a file with another head is made anew. Whether what it
holds is right is not asked here: each image has a check sum.
"""

import logging
import re
import shutil
from pathlib import Path

from filelock import FileLock

from data.cache.arena import Arena
from options.errors import UserError
from util.machine import free_memory

log = logging.getLogger(__name__)

GB = 10**9
NAMES = re.compile(r"[0-9a-f]{32}\.cache(\.lock)?")


def new_in_memory(budget: int) -> Arena:
    """Return an empty arena in memory.

    Raises:
        UserError: there is less memory.
    """
    _check_room(budget, free_memory(), "of memory are free", "--cache disk")
    return Arena.in_memory(budget)


def open_in_file(budget: int, head: bytes, *, folder: Path, fingerprint: str) -> Arena:
    """Return the arena of a fingerprint's file, which is made if there is none that can be used again.

    The folder's files of other fingerprints are removed.

    Raises:
        UserError: the disk has less room, or the folder cannot be written.
    """
    path = folder / f"{fingerprint}.cache"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "cache.lock"):
            _remove_others(folder, path.name)
            _check_room(budget, _free_disk(path), f"are free in {folder}", "another --cache_dir")
            if not _usable(path, budget, head):
                path.unlink(missing_ok=True)  # whoever has it open keeps it
                Arena.in_file(path, budget).write(head, 0)
            return Arena.in_file(path, budget)
    except OSError as error:
        raise UserError(
            f"cannot keep images in {folder} ({error.strerror}); make it writable or pass another --cache_dir"
        ) from error


def gigabytes(count: int) -> str:
    """Write an amount as in ``--cache_gb``."""
    return f"{count / GB:.3g} GB"


def _remove_others(folder: Path, name: str) -> None:
    """Delete what other data sets and flags left, so that a folder never takes more than one budget."""
    for path in folder.iterdir():
        if NAMES.fullmatch(path.name) and not path.name.startswith(name):
            try:
                path.unlink()
            except OSError as error:  # on Windows: a training has it open
                log.info("cannot remove the old cache %s (%s)", path, error.strerror)


def _usable(path: Path, budget: int, head: bytes) -> bool:
    """Tell whether a file is laid out as the head says, within the budget."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        found = file.read(len(head))
    if found == head and path.stat().st_size <= budget:
        return True
    log.warning("%s is damaged, or was made for a larger --cache_gb; it is made anew", path)
    return False


def _check_room(wanted: int, free: int | None, which: str, instead: str) -> None:
    if free is not None and wanted > free:
        raise UserError(
            f"--cache_gb asks for {gigabytes(wanted)}, but only {gigabytes(free)} {which}; "
            f"lower --cache_gb, or pass {instead}"
        )


def _free_disk(path: Path) -> int:
    """Return the bytes that a file can have: those it has, and those that are free."""
    taken = 0
    if path.exists():
        status = path.stat()
        taken = status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size
    return taken + shutil.disk_usage(path.parent).free
