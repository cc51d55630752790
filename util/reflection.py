"""Extend a row of pixels as walls of mirrors would."""

import torch
from torch import Tensor


def reflection(length: int, wanted: int, device: torch.device | None = None) -> Tensor:
    """Return which of ``length`` pixels stands at each of ``wanted`` places, the originals in the middle."""
    period = max(1, 2 * (length - 1))
    place = (torch.arange(wanted, device=device) - (wanted - length) // 2) % period
    return torch.minimum(place, period - place)
