"""The arena that a cache lies in: made, or taken up where an earlier training left it.

It begins with a head, which says what is kept, and the state of the filling. A file is taken up again only if every
image in it must be whole: the machine has not been started anew since, or all of it had reached the disk before.
"""

import hashlib
import logging
import os
import shutil
import struct
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from data.cache.arena import Arena
from options.errors import UserError

log = logging.getLogger(__name__)

GB = 10**9
FORMAT = b"images 1"
HEAD = struct.Struct("<8sQ32s16s")  # format, keys, fingerprint, which start of the machine
STATE = struct.Struct("<QQQ")
BODY = 4096  # where the head and the state end, with room to spare


class State(NamedTuple):
    """How far the filling is."""

    used: int  # bytes, from the beginning
    clean: int  # 1: all of them have reached the disk
    failed: int = 0  # 1: writing failed; nothing more is put


def read_state(arena: Arena) -> State:
    """Return the state as it is now."""
    return State(*STATE.unpack_from(arena.bytes, HEAD.size))


def write_state(arena: Arena, state: State) -> None:
    """Let all processes see a state; the caller has locked the arena."""
    arena.write(STATE.pack(*state), HEAD.size)


def new_in_memory(budget: int, blank: int, *, keys: int) -> Arena:
    """Return an empty arena in memory.

    Args:
        blank: bytes at the beginning that must never be missing later; written with zeros.

    Raises:
        UserError: there is less memory.
    """
    _check_room(budget, _free_memory(), "of memory are free", "--cache disk")
    arena = Arena.in_memory(budget)
    arena.write(_beginning(_head(keys, ""), blank), 0)
    return arena


def open_in_file(budget: int, blank: int, *, keys: int, folder: Path, fingerprint: str) -> Arena:
    """Return the arena of a fingerprint's file, which is made if there is none that can be used again.

    Raises:
        UserError: the disk has less room, or the folder cannot be written.
    """
    path, head = folder / f"{fingerprint}.cache", _head(keys, fingerprint)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            _check_room(budget, _free_disk(path), f"are free in {folder}", "another --cache_dir")
            if not _usable(path, budget, blank, head=head):
                _write_whole(path, _beginning(head, blank))
            arena = Arena.in_file(path, budget)
            arena.write(head, 0)
            arena.write(bytes(8), HEAD.size + 16)  # there may be room again; the rest may be changing at this moment
            return arena
    except OSError as error:
        raise UserError(
            f"cannot keep images in {folder} ({error.strerror}); make it writable or pass another --cache_dir"
        ) from error


def gigabytes(count: int) -> str:
    """Write an amount as in ``--cache_gb``."""
    return f"{count / GB:.3g} GB"


def _head(keys: int, fingerprint: str) -> bytes:
    return HEAD.pack(FORMAT, keys, hashlib.sha256(fingerprint.encode()).digest(), _this_start())


def _beginning(head: bytes, blank: int) -> bytes:
    return (head + STATE.pack(blank, 0, 0)).ljust(blank, b"\0")


def _usable(path: Path, budget: int, blank: int, *, head: bytes) -> bool:
    """Tell whether a file holds what the head says, whole and within the budget."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        found = file.read(HEAD.size + STATE.size).ljust(HEAD.size + STATE.size, b"\0")
    state = State(*STATE.unpack_from(found, HEAD.size))
    same_start = any(_this_start()) and found[: HEAD.size] == head
    whole = found[: HEAD.size - 16] == head[:-16] and (state.clean == 1 or same_start)
    if whole and blank <= state.used <= min(budget, path.stat().st_size):
        return True
    log.warning("%s is damaged, larger than --cache_gb or was not finished; it is made anew", path)
    return False


def _this_start() -> bytes:
    """Return 16 bytes that are others each time the machine is started; zeros if it does not say."""
    try:
        return bytes.fromhex(Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


def _check_room(wanted: int, free: int | None, which: str, instead: str) -> None:
    if free is not None and wanted > free:
        raise UserError(
            f"--cache_gb asks for {gigabytes(wanted)}, but only {gigabytes(free)} {which}; "
            f"lower --cache_gb, or pass {instead}"
        )


def _free_memory() -> int | None:
    """Return the bytes that can be taken without swapping; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")), None)


def _free_disk(path: Path) -> int:
    """Return the bytes that a file can have: those it has, and those that are free."""
    taken = path.stat().st_blocks * 512 if path.exists() and hasattr(os, "statvfs") else 0  # less than its length
    return taken + shutil.disk_usage(path.parent).free


def _write_whole(path: Path, content: bytes) -> None:
    """Put a new file in the place of another, which whoever has it open keeps."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.remove(name)
        raise
