"""Maps that are computed once and kept, in memory or in a file without a name that is gone with the program."""

import os
import tempfile

import numpy as np
import torch
from torch import Tensor

from inference.large.box import Box
from inference.large.maps import FeatureMap
from networks.fast.functions import channel_statistics
from options.errors import UserError


class Statistics:
    """Mean and variance of every channel of a map that comes in parts, in float64 (Chan, Golub and LeVeque 1979)."""

    def __init__(self, channels: int) -> None:
        self._count = 0
        self._mean = torch.zeros(channels, dtype=torch.float64)
        self._squares = torch.zeros(channels, dtype=torch.float64)  # sum of squared distances from the mean

    def add(self, part: Tensor) -> None:
        """Take in 1 x C x h x w."""
        if part.device.type == "cpu":  # in channels_last order var_mean takes twenty times as long
            mean, variance = channel_statistics(part.float().contiguous(memory_format=torch.channels_last))
        else:
            variance, mean = torch.var_mean(part.float(), (0, 2, 3), correction=0)
        count = part.shape[2] * part.shape[3]
        distance = mean.double().cpu() - self._mean  # sync
        total = self._count + count
        self._mean += distance * (count / total)
        self._squares += variance.double().cpu() * count + distance**2 * (self._count * count / total)
        self._count = total

    @property
    def mean(self) -> Tensor:
        """Mean by channel, float32."""
        return self._mean.float()

    @property
    def variance(self) -> Tensor:
        """Mean squared distance from it, float32."""
        return (self._squares / self._count).float()


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


class Kept(FeatureMap):
    """A map that has been computed and is kept, with its statistics."""

    def __init__(self, store: Store, statistics: Statistics, device: torch.device) -> None:
        super().__init__(store.channels, store.height, store.width)
        self.statistics = statistics
        self._store, self._device = store, device

    def read(self, box: Box) -> Tensor:
        """Read it from where it is kept."""
        part = self._store.read(box).to(self._device, torch.float32, copy=True)
        return part.contiguous(memory_format=torch.channels_last)
