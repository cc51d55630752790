"""A copy of a training's tensors in memory, so that a file can be written while the training goes on."""

import sys
from typing import Any

import torch
from torch import Tensor


class Snapshot:
    """Buffers on the CPU that are filled again at each save: the first takes memory, the others a moment."""

    def __init__(self) -> None:
        self._buffers: dict[tuple[Any, ...], Tensor] = {}

    def take(self, value: Any) -> Any:
        """Copy every tensor inside nested dicts and lists; plain values are handed on. Synchronises the device.

        The result is valid until the next call.
        """
        self._on_gpu = False
        copy = self._copy(value, ())
        if self._on_gpu:
            torch.cuda.synchronize()  # sync
        return copy

    def _copy(self, value: Any, place: tuple[Any, ...]) -> Any:
        if isinstance(value, Tensor):
            return self._filled(value.detach(), place)
        if isinstance(value, dict):
            return {self._copy(key, ()): self._copy(item, (*place, key)) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._copy(item, (*place, index)) for index, item in enumerate(value)]
        if isinstance(value, str):
            return sys.intern(value)  # so that equal states are equal files, also after a resume
        return value

    def _filled(self, tensor: Tensor, place: tuple[Any, ...]) -> Tensor:
        self._on_gpu |= tensor.is_cuda
        buffer = self._buffers.get(place)
        if buffer is None or buffer.shape != tensor.shape or buffer.dtype != tensor.dtype:
            buffer = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)
            self._buffers[place] = buffer
        return buffer.copy_(tensor, non_blocking=tensor.is_cuda)
