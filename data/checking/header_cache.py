"""Headers of some files, read in a few threads and remembered while size and times of every file are as they were."""

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from data.checking.one_file import reason_of
from data.files.memory import Memory, file_stamp
from options.errors import UserError
from util.raster.kinds import Header
from util.raster.reading import read_header

log = logging.getLogger(__name__)

FORMAT = 2
THREADS = 8


def headers_of(paths: Sequence[str], about: str) -> list[Header | str]:
    """Return for each file its header, or why it cannot be read.

    Args:
        about: names the files; others under the same name take the place of these in the memory.
    """
    memory = Memory("headers", about)
    with ThreadPoolExecutor(THREADS) as pool:
        stamps = "".join(f"{path} {stamp}\n" for path, stamp in zip(paths, pool.map(file_stamp, paths), strict=True))
        key = hashlib.sha256(f"{FORMAT}\n{stamps}".encode(errors="surrogateescape")).hexdigest()
        known = _load(memory, key, len(paths))
        if known is not None:
            return known
        headers = list(pool.map(_header, paths))
    packed = [one if isinstance(one, str) else [*one[:4], one.dtype.name, *one[5:]] for one in headers]
    memory.write(json.dumps({"key": key, "headers": packed}).encode(), "the headers of images")
    return headers


def _header(path: str) -> Header | str:
    if os.path.exists(path) and not os.path.isfile(path):
        return "it is no file but a pipe, a device or the like"  # which a reader may wait for
    try:
        return read_header(path)
    except UserError as error:
        return reason_of(error, path)


def _load(memory: Memory, key: str, count: int) -> list[Header | str] | None:
    kept = memory.read()
    if kept is None:
        return None
    try:
        content = json.loads(kept)
        if content["key"] != key or len(content["headers"]) != count:
            return None
        return [one if isinstance(one, str) else _unpacked(*one) for one in content["headers"]]
    except (ValueError, KeyError, TypeError) as error:
        log.info("cannot use what is remembered in %s (%s); looking at the images again", memory.path, error)
        return None


def _unpacked(file_format: str, width: int, height: int, channels: int, dtype: str, *others: str) -> Header:
    return Header(file_format, width, height, channels, np.dtype(dtype), *others)  # type: ignore[arg-type]  # as written
