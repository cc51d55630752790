"""Read samples from WebDataset shards: tar files in which the files of a sample lie side by side and share a key.

``deep/x.a.png`` and ``deep/x.b.png`` are the images ``a.png`` and ``b.png`` of the sample ``deep/x``: a key goes up
to the first dot of the file's name. Members that are no images are passed over. What comes from a URL is asked for
again, a few times, where it breaks off.
"""

import logging
import re
import tarfile
import time
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from data.shards.source import is_local, opened, reason_of, rest
from options.errors import UserError
from util.raster.kinds import EXTENSIONS

log = logging.getLogger(__name__)

PAUSES_S = (0.5, 2.0, 8.0)  # before each new attempt
END_BYTES = 512  # zeros at the end of a tar file, at least
_NAME = re.compile(r"(?P<key>(?:.*/)?[^./]+)\.(?P<rest>[^/]+)", re.DOTALL)


class ShardError(Exception):
    """A shard cannot be read; no ``UserError``, for which ``--on_bad_image`` would put another sample in its place."""


@dataclass(frozen=True)
class Shard:
    """A tar file.

    Attributes:
        url: a path, or what the webdataset library opens.
        label: names it in messages and results, as in ``train-000012.tar``.
        count: samples it is said to hold.
        used: the first of them that the data set has.
    """

    url: str
    label: str
    count: int
    used: int


class Packed(NamedTuple):
    """A sample as it lies in its shard: encoded images by the rest of their names, in lower case."""

    shard: str
    key: str
    images: dict[str, bytes]

    def path(self, name: str) -> str:
        """Return a name for one of the images that no other sample has."""
        return f"{self.shard}/{self.key}.{name}"


def read_samples(shard: Shard, numbers: Sequence[int]) -> Iterator[Packed]:
    """Yield samples of a shard; the images of others are passed over.

    Args:
        numbers: ascending, from 0.

    Raises:
        ShardError: it cannot be opened, is damaged or cut short, or has not as many samples as it is said to have.
    """
    done, failures = 0, 0
    while True:
        try:
            for packed in _read(shard, numbers[done:]):
                yield packed
                done, failures = done + 1, 0
            return
        except (OSError, tarfile.TarError, EOFError, ValueError) as error:
            reason = reason_of(error)
            if is_local(shard.url) or failures == len(PAUSES_S):
                raise ShardError(f"cannot read the shard {shard.url} ({reason}); repair or replace it") from error
            log.info("reading %s again (%s)", shard.url, reason)
            time.sleep(PAUSES_S[failures])
            failures += 1


def count_samples(path: str) -> int:
    """Count the samples of a file by what lies before its images, which are not read.

    Raises:
        UserError: it is damaged or cut short.
    """
    try:
        with open(path, "rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            return sum(1 for _ in _grouped(tar, "", frozenset()))
    except (OSError, tarfile.TarError) as error:
        raise UserError(f"cannot read the shard {path} ({reason_of(error)}); repair or replace it") from error


def _read(shard: Shard, numbers: Sequence[int]) -> Iterator[Packed]:
    """Yield samples; the last one of a shard when the end has been seen."""
    wanted, count, last = frozenset(numbers), 0, None
    with opened(shard.url) as stream:
        with tarfile.open(fileobj=stream, mode="r:" if is_local(shard.url) else "r|*") as tar:
            for count, packed in enumerate(_grouped(tar, shard.label, wanted), start=1):
                if count == shard.count:
                    last = packed
                elif count - 1 in wanted:
                    yield packed
                    if count - 1 == numbers[-1]:
                        return
        if count != shard.count:
            raise tarfile.ReadError(
                f"it has {count} samples, not {shard.count}: it was cut short, or sizes.json beside it is wrong"
            )
        rest(stream)
    if last is not None:
        yield last


def _grouped(tar: tarfile.TarFile, label: str, wanted: Set[int]) -> Iterator[Packed]:
    """Yield all samples, those that are not wanted without their images."""
    number, key = -1, None
    images: dict[str, bytes] = {}
    for member in iter(tar.next, None):
        tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep them all
        parts = _NAME.fullmatch(member.name)
        if not (parts and member.isreg() and f".{parts['rest']}".lower().endswith(EXTENSIONS)):
            continue
        if parts["key"] != key:
            if key is not None:
                yield Packed(label, key, images)
            number, key, images = number + 1, parts["key"], {}
        if number in wanted and (content := tar.extractfile(member)) is not None:
            images[parts["rest"].lower()] = content.read()
    if tar.fileobj is None or tar.fileobj.tell() < tar.offset + END_BYTES:  # tarfile takes it for the end
        raise tarfile.ReadError("it was cut short")
    if key is not None:
        yield Packed(label, key, images)
