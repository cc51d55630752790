"""Scores are computed in float32, the same way each time, whatever a training around them has chosen."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from networks.compute import Compute


@contextmanager
def exact(device: torch.device) -> Iterator[None]:
    """Switch gradients, autocast, TF32 and the GPU's search for the fastest kernel off while the body runs."""
    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.deterministic
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False), Compute(device, "fp32").kernels():
            yield
    finally:
        cudnn.benchmark, cudnn.deterministic = before
