"""A stretch of bytes that several processes share: in memory, or in a file that outlives them.

All read it through a map of their own and write with system calls, so that a full disk is an error and not a fatal
signal. The map is private: whoever writes into what was read changes it for this process alone. A file must lie on a
disk of this machine.
"""

import mmap
import os
import sys
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock
from torch import Tensor

OPEN = os.O_RDWR | getattr(os, "O_BINARY", 0)
NORESERVE = getattr(mmap, "MAP_NORESERVE", 0x4000 if sys.platform == "linux" else 0)  # named since Python 3.11


class Arena:
    """Bytes that are all 0 until written. It can be sent to processes that are started afresh.

    Attributes:
        bytes: the map.
        pixels: the same as uint8.
    """

    def __init__(self, descriptor: int, size: int, path: Path | None = None) -> None:
        """Take over an open file and make it ``size`` bytes long if it is shorter; no disk space is taken yet.

        Args:
            path: where the file lies, if it has a name.
        """
        self._descriptor, self._size, self._path = descriptor, size, path
        weakref.finalize(self, os.close, descriptor)
        if os.fstat(descriptor).st_size < size:
            os.ftruncate(descriptor, size)
        if hasattr(mmap, "MAP_PRIVATE"):
            protection = mmap.PROT_READ | mmap.PROT_WRITE
            self.bytes = mmap.mmap(descriptor, size, mmap.MAP_PRIVATE | NORESERVE, protection)
        else:
            self.bytes = mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY)
        self.pixels: Tensor = torch.frombuffer(self.bytes, dtype=torch.uint8)

    @classmethod
    def in_memory(cls, size: int) -> "Arena":
        """Return an arena that vanishes with the last process that has it; on Linux however that ends."""
        if sys.platform == "linux":
            return cls(os.memfd_create("image-cache"), size)
        handle, name = tempfile.mkstemp(prefix="image-cache-")
        arena = cls(handle, size, Path(name))
        weakref.finalize(arena, _remove, Path(name), os.getpid())
        return arena

    @classmethod
    def in_file(cls, path: Path, size: int) -> "Arena":
        """Return the arena that a file holds, which is made if there is none."""
        return cls(os.open(path, OPEN | os.O_CREAT, 0o666), size, path)

    def __reduce__(self) -> tuple[Any, ...]:
        return _join, (self._name(os.getpid()), self._size, self._path)

    def write(self, data: Any, at: int) -> None:
        """Write bytes or an array; the caller has locked the arena, or is alone with it.

        Raises:
            OSError: the disk is full, or broken.
        """
        rest = memoryview(data).cast("B")
        os.lseek(self._descriptor, at, os.SEEK_SET)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep all other threads and processes out of ``locked``; the system lets them in if this one is killed."""
        if sys.platform == "linux":
            import fcntl

            opened = os.open(self._name("self"), OPEN)  # anew: forked processes share what they inherited, and its lock
            try:
                fcntl.flock(opened, fcntl.LOCK_EX)
                yield
            finally:
                fcntl.flock(opened, fcntl.LOCK_UN)  # a process forked meanwhile has it open too
                os.close(opened)
        else:
            with FileLock(f"{self._path}.lock", poll_interval=0.001):
                yield

    def _name(self, process: int | str) -> str:
        """Return a path to the file; on Linux there is one even if it has no name, or none any more."""
        return f"/proc/{process}/fd/{self._descriptor}" if sys.platform == "linux" else str(self._path)


def _join(name: str, size: int, path: Path | None) -> Arena:
    return Arena(os.open(name, OPEN), size, path)


def _remove(path: Path, creator: int) -> None:
    if os.getpid() == creator:
        path.unlink(missing_ok=True)
        Path(f"{path}.lock").unlink(missing_ok=True)
