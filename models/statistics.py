"""The running statistics of batch norms, which the forward pass of a step that fails has changed already."""

import torch
from torch import Tensor, nn


class RunningStatistics:
    """A copy of all buffers of the networks, taken at every step: two kernels, nothing where there is no batch norm."""

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
