"""Remember what a large folder holds, so that the next training need not look through it again.

An index is believed while every folder it covers is as it was when it was looked through. It does not notice that a
file's content changed, or that what a link points to is gone.
"""

import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from data.files.memory import Memory
from data.files.path_list import PathList, pack

log = logging.getLogger(__name__)

FORMAT = 1
SETTLED = 2 * 10**9  # nanoseconds: two changes closer than this may leave one time stamp on some file systems

Stamp = tuple[int, int, int]  # number of the folder, times of its last change (contents, anything), ns


class Found(NamedTuple):
    """What a search found: files and the folders they were looked for in, below the root, "/" between folders."""

    files: Sequence[str]
    folders: Sequence[str]
    stamps: Sequence[Stamp]  # of the folders, taken before each was read
    began: int  # nanoseconds since 1970


def stamp(status: os.stat_result) -> Stamp:
    """Return what changes when something is put into a folder or taken out, and when another takes its place."""
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns


def load_index(root: str, extensions: Sequence[str]) -> PathList | None:
    """Return what a folder held when it was last looked through, if it cannot have changed since."""
    begin, memory = time.perf_counter(), _memory(root)
    kept = memory.read()
    if kept is None:
        return None
    digest, rest = kept[:32], memoryview(kept)[32:]
    if hashlib.sha256(rest).digest() != digest:
        log.info("the index %s is damaged; looking through %s", memory.path, root)
        return None
    size = int.from_bytes(rest[:8], "little")
    about = json.loads(bytes(rest[8 : 8 + size]))
    if about["settings"] != _settings(extensions):
        return None
    stamps, folders, files = np.split(np.frombuffer(rest[8 + size :], np.uint8), np.cumsum(about["sizes"][:2]))
    if not _unchanged(PathList.unpack(root, folders.tobytes()), stamps.view(np.int64).reshape(-1, 3).tolist()):
        return None
    paths = PathList.unpack(root, files.tobytes())
    log.info("%d images in %s, from its index in %.1f s", len(paths), root, time.perf_counter() - begin)
    return paths


def save_index(root: str, extensions: Sequence[str], found: Found) -> None:
    """Keep what a search found, unless a folder changed so recently that its time stamp says little."""
    if any(changed > found.began - SETTLED for _, *times in found.stamps for changed in times):
        return
    parts = [np.array(found.stamps, np.int64).tobytes(), pack(found.folders), pack(found.files)]
    about = json.dumps({"settings": _settings(extensions), "sizes": [len(part) for part in parts]}).encode()
    rest = b"".join([len(about).to_bytes(8, "little"), about, *parts])
    _memory(root).write(hashlib.sha256(rest).digest() + rest, f"an index of {root}")


def _memory(root: str) -> Memory:
    return Memory("index", os.path.abspath(root))


def _settings(extensions: Sequence[str]) -> list[object]:
    return [FORMAT, sorted(extensions), sys.getfilesystemencoding()]


def _unchanged(folders: PathList, stamps: Sequence[Sequence[int]]) -> bool:
    try:
        return all(stamp(os.stat(folder)) == tuple(known) for folder, known in zip(folders, stamps, strict=True))
    except OSError:
        return False
