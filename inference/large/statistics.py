"""Mean and variance of every channel of a map that comes in parts (Chan, Golub and LeVeque 1979)."""

import torch
from torch import Tensor

from networks.fast.functions import channel_statistics


class Statistics:
    """What is known of the parts seen so far, in float64."""

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
