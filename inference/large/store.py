"""Where a map is kept: in memory, or in a file without a name that is gone with the program."""

import os
import tempfile

import numpy as np
import torch
from torch import Tensor

from inference.large.box import Box
from options.errors import UserError


class Store:
    """A map of height x width x channels, which is read and written in parts."""

    def __init__(self, channels: int, height: int, width: int, dtype: torch.dtype) -> None:
        self.channels, self.height, self.width = channels, height, width
        self._values = torch.empty((height, width, channels), dtype=dtype)

    def write(self, box: Box, part: Tensor) -> None:
        """Keep a part, 1 x C x h x w."""
        self._values[box.top : box.bottom, box.left : box.right] = part[0].permute(1, 2, 0)

    def read(self, box: Box) -> Tensor:
        """Return a part, 1 x C x h x w in channels_last order."""
        return self._values[box.top : box.bottom, box.left : box.right].permute(2, 0, 1)[None]


class FileStore(Store):
    """The same in a file, in half precision; for one thread. Mapped pages would count as memory."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        self.channels, self.height, self.width = channels, height, width
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # lives as long as the store
        self._row, size = width * channels * 2, height * width * channels * 2
        try:
            os.posix_fallocate(self._file.fileno(), 0, size) if hasattr(os, "posix_fallocate") else None
        except OSError as error:
            self._file.close()
            raise UserError(
                f"{size / 1e9:.1f} GB for intermediate results do not fit in {tempfile.gettempdir()} "
                f"({error.strerror}); make room, set TMPDIR to another disk, or pass --tiling blend, which needs none"
            ) from error

    def write(self, box: Box, part: Tensor) -> None:
        """Keep a part, 1 x C x h x w."""
        values = part[0].permute(1, 2, 0).clamp(-65504, 65504).to(torch.float16).cpu().contiguous().numpy()
        for number, row in enumerate(values):
            self._file.seek(self._place(box.top + number, box.left))
            left = memoryview(row.data).cast("B")
            while left:  # without a buffer, a part of it may be written
                left = left[self._file.write(left) :]

    def read(self, box: Box) -> Tensor:
        """Return a part, 1 x C x h x w in channels_last order."""
        values = np.empty((box.height, box.width, self.channels), np.float16)
        for number, row in enumerate(values):
            self._file.seek(self._place(box.top + number, box.left))
            left = memoryview(row.data).cast("B")
            while left:
                left = left[self._file.readinto(left) :]
        return torch.from_numpy(values).permute(2, 0, 1)[None]

    def _place(self, row: int, column: int) -> int:
        return row * self._row + column * self.channels * 2
