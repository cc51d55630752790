"""The running statistics of batch norms, where images pass a network a second time for the same step."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def still_statistics(network: nn.Module) -> Iterator[None]:
    """Let the body move copies of all buffers in a network, which are then thrown away.

    Putting old values back would be an error: the backward pass minds whether they have changed.
    """
    found = [(layer, *buffer) for layer in network.modules() for buffer in layer.named_buffers(recurse=False)]
    for layer, name, buffer in found:
        setattr(layer, name, buffer.clone())
    try:
        yield
    finally:
        for layer, name, buffer in found:
            setattr(layer, name, buffer)
