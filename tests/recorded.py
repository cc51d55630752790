"""The recipe behind ``tests/golden``: numbers recorded from the official code (float32, CPU)."""

import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

GOLDEN = Path(__file__).parent / "golden"


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text())


def fill(net: nn.Module) -> None:
    """Give every weight a value that depends on its name alone."""
    for key, tensor in net.state_dict().items():
        if not tensor.is_floating_point():
            continue
        random = np.random.RandomState(zlib.crc32(key.encode()) & 0x7FFFFFFF)
        values = 0.05 * random.standard_normal(tuple(tensor.shape))
        if key.endswith("running_var"):
            values = 1 + 0.5 * random.uniform(size=tuple(tensor.shape))
        elif tensor.ndim == 1 and key.endswith("weight"):
            values = 1 + values
        tensor.copy_(torch.from_numpy(np.asarray(values)))


def images(seed: int, *shape: int) -> Tensor:
    return torch.from_numpy(np.random.RandomState(seed).uniform(-1, 1, shape)).float()
