"""The same bits on every run, where a GPU's fastest kernels add in an order of their own."""

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
