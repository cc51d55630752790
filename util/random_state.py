"""Where the random number generators stand, so that the same numbers can be drawn again."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class RandomState:
    """The position of the CPU's generator and of the device's own, taken when it is made."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._cpu, self._own = _position(device)

    @contextmanager
    def replayed(self) -> Iterator[None]:
        """Draw from this position on while the body runs, and afterwards from where the generators were."""
        now = RandomState(self._device)
        self._set()
        try:
            yield
        finally:
            now._set()

    def _set(self) -> None:
        torch.set_rng_state(self._cpu)
        if self._own is not None and self._device.type == "cuda":
            torch.cuda.set_rng_state(self._own, self._device)
        elif self._own is not None:
            torch.mps.set_rng_state(self._own)


def _position(device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    own = None
    if device.type == "cuda":
        own = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        own = torch.mps.get_rng_state()
    return torch.get_rng_state(), own
