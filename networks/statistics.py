"""Buffers of norms (running statistics, vectors of the power method): kept, put back, and still in a second pass."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class RunningStatistics:
    """A copy of all buffers of networks, for a pass that may be undone: two kernels, nothing without batch norms."""

    def __init__(self, networks: nn.Module) -> None:
        groups: dict[torch.dtype, list[Tensor]] = {}
        for buffer in networks.buffers():
            groups.setdefault(buffer.dtype, []).append(buffer)
        self._groups = [(own, [torch.empty_like(buffer) for buffer in own]) for own in groups.values()]

    def keep(self) -> None:
        """Copy them."""
        for own, copies in self._groups:
            torch._foreach_copy_(copies, own)

    def restore(self) -> None:
        """Put the copies back."""
        for own, copies in self._groups:
            torch._foreach_copy_(own, copies)


@contextmanager
def still_statistics(network: nn.Module, start: Sequence[Tensor]) -> Iterator[None]:
    """Let the body move copies of all buffers in a network, which are then thrown away.

    For images that pass again for the same step. Putting old values back would be an error: the backward pass minds
    whether they have changed.

    Args:
        start: what the body finds in them, as ``copied_buffers`` gave it.
    """
    found = _buffers(network)
    for (layer, name, _), value in zip(found, start, strict=True):
        layer._buffers[name] = value.clone()
    try:
        yield
    finally:
        for layer, name, buffer in found:
            layer._buffers[name] = buffer


def copied_buffers(network: nn.Module) -> list[Tensor]:
    """Return copies of all buffers, for ``still_statistics``."""
    return [buffer.clone() for *_, buffer in _buffers(network)]


def _buffers(network: nn.Module) -> list[tuple[nn.Module, str, Tensor]]:
    return [(layer, *buffer) for layer in network.modules() for buffer in layer.named_buffers(recurse=False)]
