"""Buffers of norms (running statistics, vectors of the power method) where images pass again for the same step."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn


@contextmanager
def still_statistics(network: nn.Module, start: Sequence[Tensor] = ()) -> Iterator[None]:
    """Let the body move copies of all buffers in a network, which are then thrown away.

    Putting old values back would be an error: the backward pass minds whether they have changed.

    Args:
        start: what the body finds in them, as ``copied_buffers`` gave it; without it, what is in them.
    """
    found = _buffers(network)
    for (layer, name, _), value in zip(found, start or [buffer for *_, buffer in found], strict=True):
        setattr(layer, name, value.clone())
    try:
        yield
    finally:
        for layer, name, buffer in found:
            setattr(layer, name, buffer)


def copied_buffers(network: nn.Module) -> list[Tensor]:
    """Return copies of all buffers, for ``still_statistics``."""
    return [buffer.clone() for *_, buffer in _buffers(network)]


def _buffers(network: nn.Module) -> list[tuple[nn.Module, str, Tensor]]:
    return [(layer, *buffer) for layer in network.modules() for buffer in layer.named_buffers(recurse=False)]
