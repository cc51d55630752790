"""What one process of a benchmark is told to measure, and the images that it is measured on."""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Job:
    """What one process is to measure.

    Attributes:
        flags: the command line that it imitates.
        folder: of the official code; empty for ours.
        timings: how many to take.
    """

    size: int
    batch_size: int
    flags: Sequence[str]
    folder: str
    timings: int

    def to_text(self) -> str:
        """Write it for ``read_job``."""
        return json.dumps(asdict(self))

    def images(self) -> tuple[Tensor, Tensor]:
        """Return a random batch of either side, always the same."""
        return random_images(self.size, self.batch_size)


def read_job(text: str) -> Job:
    """Read what this process is to measure; where memory runs out it goes first, and not the one that waits for it."""
    with contextlib.suppress(OSError):  # not Linux
        Path("/proc/self/oom_score_adj").write_text("1000")
    return Job(**json.loads(text))


def random_images(size: int, batch_size: int = 1, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return two batches, N x 3 x H x W in [-1, 1]."""
    random = torch.Generator().manual_seed(seed)
    A, B = (torch.rand(batch_size, 3, size, size, generator=random) * 2 - 1 for _ in range(2))
    return A, B
