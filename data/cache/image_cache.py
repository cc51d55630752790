"""Keep decoded images for all loading processes, within a stated budget.

Nothing is ever thrown out: an epoch takes each image once, so that throwing out the oldest would keep the wrong ones.
What does not fit is decoded every time. The arena has a row for each image that says where it lies, then the images. A
row is written after its image, so that a process that is killed leaves no half of one. Of a file, which may have lost
anything in a power cut or a copy, what agrees with its check sums is used; the rest counts as absent.
"""

import itertools
import logging
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from data.cache.cache_file import gigabytes, new_in_memory, open_in_file
from options.errors import UserError

log = logging.getLogger(__name__)

HEAD = struct.Struct("<8sQ")  # format, rows
USED = struct.Struct("<Q")  # bytes from the beginning that are taken; it follows the head
BODY = 4096  # where the rows begin, with room to spare
ROW = struct.Struct("<Q3I2H2I")  # the parts of Row, and a check sum of them
FORMAT, FULL = b"images 2", 2**63
STEP = 64  # images begin at multiples
TYPES = (torch.uint8, torch.float32)
ORDERS = tuple(itertools.permutations(range(3)))  # of the dimensions in memory, slowest first


class Row(NamedTuple):
    """Where an image lies, and how."""

    start: int
    channels: int
    height: int
    width: int
    kind: int  # which of TYPES
    order: int  # which of ORDERS
    check: int  # sum of the image's bytes

    @property
    def end(self) -> int:
        """The first byte behind the image."""
        return self.start + self.channels * self.height * self.width * TYPES[self.kind].itemsize


class ImageCache:
    """Images of A and B by number, shared between processes; can be sent to workers, started in whatever way."""

    def __init__(
        self, kind: Literal["ram", "disk"], *, budget_bytes: int, images: int, folder: Path, fingerprint: str
    ) -> None:
        """Make an empty cache, or take up the file of an earlier training.

        Args:
            budget_bytes: the most that everything together may take.
            images: how many each side has.
            folder: where ``disk`` keeps its file and no other cache, on a disk of this machine.
            fingerprint: names what is kept, in 32 hexadecimal digits; another one starts afresh.

        Raises:
            UserError: the budget is more than there is, or less than the table of images takes, or the folder cannot
                be written.
        """
        self._rows = 2 * images
        self._budget = budget_bytes // BODY * BODY
        first = _aligned(BODY + ROW.size * self._rows)
        if self._budget <= first:
            raise UserError(
                f"--cache_gb gives {gigabytes(budget_bytes)}, but the list of {self._rows} images alone takes "
                f"{gigabytes(first)}; raise --cache_gb, or pass --cache off"
            )
        if kind == "ram":
            self._arena = new_in_memory(self._budget)
        else:
            head = HEAD.pack(FORMAT, self._rows)
            self._arena = open_in_file(self._budget, head, folder=folder, fingerprint=fingerprint)
        self._checked = bytearray([kind == "ram"]) * self._rows  # 1: this process trusts the image
        with self._arena.locked():
            rows = map(self._row, np.flatnonzero(self._starts()).tolist())
            self._set_used(max((_aligned(row.end) for row in rows if row), default=first))

    @property
    def count(self) -> int:
        """Number of images that were put."""
        return int(np.count_nonzero(self._starts()))

    def get(self, side: str, index: int) -> Tensor | None:
        """Return an image as it was put, in the same order in memory, without a copy; not to be written to."""
        key = self._key(side, index)
        row = self._row(key)
        if row is None:
            return None
        data = self._arena.pixels[row.start : row.end]  # less, with another sum, if put by one with a larger budget
        if not self._checked[key]:
            if zlib.crc32(data.numpy().data) != row.check:
                return None
            self._checked[key] = 1
        shape = row[1:4]
        _, middle, fastest = ORDERS[row.order]
        strides = [shape[middle] * shape[fastest]] * 3
        strides[middle], strides[fastest] = shape[fastest], 1
        return data.view(TYPES[row.kind]).as_strided(shape, strides)

    def put(self, side: str, index: int, tensor: Tensor) -> bool:
        """Keep an image; return whether it is kept, now or already.

        Args:
            tensor: C x H x W, uint8 or float32, on the CPU.
        """
        if self.get(side, index) is not None:
            return True
        if not self._has_room(tensor):
            return False
        channels, height, width = tensor.shape
        kind, order = TYPES.index(tensor.dtype), tuple(sorted(range(3), key=tensor.stride, reverse=True))
        data = tensor.detach().permute(order).contiguous().numpy().data
        row = Row(0, channels, height, width, kind, ORDERS.index(order), zlib.crc32(data))
        try:
            with self._arena.locked():
                if self.get(side, index) is not None:
                    return True
                if not self._has_room(tensor):
                    return False
                row = row._replace(start=self._used())
                self._arena.write(data, row.start)
                self._set_used(_aligned(row.end))
                self._set_row(self._key(side, index), row)
        except OSError as error:
            self._stop(error)
            return False
        return True

    def _key(self, side: str, index: int) -> int:
        key = 2 * index + ("A", "B").index(side)
        assert 0 <= key < self._rows, f"image {index} of {self._rows // 2}"
        return key

    def _row(self, key: int) -> Row | None:
        """Return a row that is there and whole."""
        place = BODY + ROW.size * key
        packed = self._arena.bytes[place : place + ROW.size]
        *parts, check = ROW.unpack(packed)
        return Row(*parts) if parts[0] and check == zlib.crc32(packed[:-4], key) else None

    def _set_row(self, key: int, row: Row) -> None:
        packed = ROW.pack(*row, 0)[:-4]
        self._arena.write(packed + struct.pack("<I", zlib.crc32(packed, key)), BODY + ROW.size * key)

    def _starts(self) -> np.ndarray:
        """Return where each image begins; 0: it is absent."""
        table: np.ndarray = self._arena.pixels[BODY : BODY + ROW.size * self._rows].numpy()
        return table.view(np.uint64)[:: ROW.size // 8]

    def _used(self) -> int:
        return int(USED.unpack_from(self._arena.bytes, HEAD.size)[0])

    def _set_used(self, used: int) -> None:
        self._arena.write(USED.pack(used), HEAD.size)

    def _has_room(self, tensor: Tensor) -> bool:
        return self._used() + tensor.numel() * tensor.element_size() <= self._budget

    def _stop(self, error: OSError) -> None:
        """Put nothing more, here and in the other processes, until the next training."""
        log.warning("cannot keep more images (%s); the others are decoded every time", error.strerror)
        self._budget = 0
        with suppress(OSError), self._arena.locked():
            self._set_used(FULL)


def _aligned(count: int) -> int:
    return -(-count // STEP) * STEP
