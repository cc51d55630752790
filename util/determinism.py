"""The same bits again: kernels that add in one order, and random numbers drawn a second time."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

log = logging.getLogger(__name__)


@contextmanager
def deterministic_kernels(wanted: bool) -> Iterator[None]:
    """Allow only deterministic kernels while the body runs; ``wanted=False`` changes nothing."""
    if not wanted:
        yield
        return
    log.info(
        "--deterministic: only kernels that give the same bits in every run; steps are slower (docs/performance.md)"
    )
    before = torch.get_deterministic_debug_mode(), torch.backends.cudnn.benchmark
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # read when the first matrix is multiplied
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        torch.backends.cudnn.benchmark = before[1]


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
