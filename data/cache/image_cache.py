"""Keep decoded images for all loading processes, within a stated budget.

Nothing is ever thrown out: an epoch takes each image once, so that throwing out the oldest would keep the wrong ones.
What does not fit is decoded every time. The arena has a row for each key that says where its image lies, then the
images. A row is written after its image, so that a process that is killed leaves no half of one.
"""

import itertools
import logging
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from data.cache.cache_file import BODY, State, gigabytes, new_in_memory, open_in_file, read_state, write_state
from options.errors import UserError

log = logging.getLogger(__name__)

ROW = struct.Struct("<QIIIHHQ")  # start, C, H, W, type, order in memory, check sum
STEP = 64  # images begin at multiples
TYPES = (torch.uint8, torch.float32)
ORDERS = tuple(itertools.permutations(range(3)))  # of the dimensions in memory, slowest first


class ImageCache:
    """Images by number, shared between processes; can be sent to workers, started in whatever way."""

    def __init__(
        self, kind: Literal["ram", "disk"], *, budget_bytes: int, keys: int, folder: Path | None, fingerprint: str
    ) -> None:
        """Make an empty cache, or take up the file of an earlier training.

        Args:
            budget_bytes: the most that everything together may take.
            keys: how many numbers there are.
            folder: where ``disk`` keeps its file, on a disk of this machine.
            fingerprint: names what is kept, in letters that a file name can have; another one starts afresh.

        Raises:
            UserError: the budget is more than there is, or less than the table of keys takes, or the folder cannot
                be written.
        """
        self._keys = keys
        self._budget = budget_bytes // BODY * BODY
        blank = _aligned(BODY + ROW.size * keys)
        if self._budget <= blank:
            raise UserError(
                f"--cache_gb gives {gigabytes(budget_bytes)}, but the list of {keys} images alone takes "
                f"{gigabytes(blank)}; raise --cache_gb, or pass --cache off"
            )
        if kind == "ram":
            self._arena = new_in_memory(self._budget, blank, keys=keys)
        else:
            assert folder is not None
            self._arena = open_in_file(self._budget, blank, keys=keys, folder=folder, fingerprint=fingerprint)
        self._stopped = False

    @property
    def used_bytes(self) -> int:
        """Bytes that are taken, those of the table of keys included."""
        return read_state(self._arena).used

    @property
    def count(self) -> int:
        """Number of images that are kept."""
        table = self._arena.pixels[BODY : BODY + ROW.size * self._keys].numpy().view(np.uint64)
        return int(np.count_nonzero(table[ROW.size // 8 - 1 :: ROW.size // 8]))  # the check sums

    def get(self, key: int) -> Tensor | None:
        """Return an image as it was put, in the same order in memory, without a copy; not to be written to."""
        place = self._place(key)
        row = self._arena.bytes[place : place + ROW.size]
        start, channels, height, width, kind, order, check = ROW.unpack(row)
        if not start or check != _check_sum(row, key):
            return None
        dtype, shape = TYPES[kind], (channels, height, width)
        end = start + channels * height * width * dtype.itemsize
        if end > len(self._arena.bytes):  # put by a training with a larger budget
            return None
        _, middle, fastest = ORDERS[order]
        strides = [shape[middle] * shape[fastest]] * 3
        strides[middle], strides[fastest] = shape[fastest], 1
        return self._arena.pixels[start:end].view(dtype).as_strided(shape, strides)

    def put(self, key: int, tensor: Tensor) -> bool:
        """Keep an image; return whether it is kept, now or already.

        Args:
            tensor: C x H x W, uint8 or float32, on the CPU.
        """
        order = sorted(range(3), key=tensor.stride, reverse=True)
        data = tensor.detach().permute(order).contiguous().numpy()
        row = (*tensor.shape, TYPES.index(tensor.dtype), ORDERS.index(tuple(order)), 0)
        if self.get(key) is not None:
            return True
        if not self._has_room(data.nbytes):
            return False
        try:
            with self._arena.locked():
                if self.get(key) is not None:
                    return True
                if not self._has_room(data.nbytes):
                    return False
                start = self._take(data.nbytes)
                self._arena.write(data, start)
                self._publish(key, ROW.pack(start, *row))
        except OSError as error:
            self._stop(error)
            return False
        return True

    def flush(self) -> None:
        """Wait until the disk has everything, so that a file survives a power cut from here on.

        A file that was not flushed can be used again, but not after the machine was started anew.
        """
        with suppress(OSError):
            self._arena.sync()  # the bulk of it without keeping others out
            with self._arena.locked():
                self._arena.sync()
                write_state(self._arena, read_state(self._arena)._replace(clean=1))
                self._arena.sync()

    def _place(self, key: int) -> int:
        assert 0 <= key < self._keys, f"key {key} of {self._keys}"
        return BODY + ROW.size * key

    def _has_room(self, size: int) -> bool:
        state = read_state(self._arena)
        return not (self._stopped or state.failed) and state.used + size <= self._budget

    def _take(self, size: int) -> int:
        """Return where an image may lie, which is nobody else's from here on."""
        start, clean, _ = read_state(self._arena)
        write_state(self._arena, State(_aligned(start + size), clean=0))
        if clean:  # the disk must know before a row can reach it without its image
            self._arena.sync()
        return start

    def _publish(self, key: int, row: bytes) -> None:
        self._arena.write(row[:-8] + struct.pack("<Q", _check_sum(row, key)), self._place(key))

    def _stop(self, error: OSError) -> None:
        """Put nothing more, and let the other processes know."""
        log.warning("cannot keep more images (%s); the others are decoded every time", error.strerror)
        self._stopped = True
        with suppress(OSError), self._arena.locked():
            write_state(self._arena, read_state(self._arena)._replace(failed=1))


def _check_sum(row: bytes, key: int) -> int:
    return zlib.crc32(row[:-8], key & 0xFFFFFFFF)


def _aligned(count: int) -> int:
    return -(-count // STEP) * STEP
