"""Headers of some files, read in a few threads and remembered in the user's cache folder.

They are believed while size and times of every file are as they were. The cache is a convenience: one that is damaged
or cannot be written costs a second reading and nothing else.
"""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from data.checking.one_file import reason_of
from data.files.index import cache_folder
from options.errors import UserError
from util.raster.header import Header, read_header
from util.whole_file import whole_file

log = logging.getLogger(__name__)

FORMAT = 2
THREADS = 8


def headers_of(paths: Sequence[str], about: str) -> list[Header | str]:
    """Return for each file its header, or why it cannot be read.

    Args:
        about: the place in the cache; other files under the same name take the place of these.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        stamps = "".join(pool.map(_stamp, paths))
        key = hashlib.sha256(f"{FORMAT}\n{stamps}".encode(errors="surrogateescape")).hexdigest()
        place = _place(about)
        known = _load(place, key, len(paths)) if place else None
        if known is not None:
            return known
        headers = list(pool.map(_header, paths))
    if place:
        _save(place, key, headers)
    return headers


def _header(path: str) -> Header | str:
    if os.path.exists(path) and not os.path.isfile(path):
        return "it is no file but a pipe, a device or the like"  # which a reader may wait for
    try:
        return read_header(path)
    except UserError as error:
        return reason_of(error, path)


def _stamp(path: str) -> str:
    try:
        status = os.stat(path)
    except OSError:
        return f"{path} missing\n"
    return f"{path} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n"


def _place(about: str) -> Path | None:
    folder = cache_folder()
    return folder and folder / "headers" / hashlib.sha256(os.fsencode(about)).hexdigest()


def _load(place: Path, key: str, count: int) -> list[Header | str] | None:
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
        if content["key"] != key or len(content["headers"]) != count:
            return None
        return [one if isinstance(one, str) else _unpacked(*one) for one in content["headers"]]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        log.info("cannot use what is remembered in %s (%s); looking at the images again", place, error)
        return None


def _save(place: Path, key: str, headers: Sequence[Header | str]) -> None:
    packed = [one if isinstance(one, str) else [*one[:4], one.dtype.name, *one[5:]] for one in headers]
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(place) as file:
            file.write(json.dumps({"key": key, "headers": packed}).encode())
    except OSError as error:
        log.info("cannot remember the images in %s (%s)", place.parent, error.strerror)


def _unpacked(file_format: str, width: int, height: int, channels: int, dtype: str, *others: str) -> Header:
    return Header(file_format, width, height, channels, np.dtype(dtype), *others)  # type: ignore[arg-type]  # as written
