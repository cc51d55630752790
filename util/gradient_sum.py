"""The sum of gradients over the processes, most of it while the backward pass still goes on.

Losses have been multiplied by each process's share, so that it is the mean.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from util.distributed import World, heard

LARGE = 100_000  # numbers of a gradient that travels by itself; smaller ones travel together


class GradientSum:
    """Replaces the gradients of some parameters by their sums.

    All processes must do the same in the same order, which they do because their graphs are the same.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], world: World) -> None:
        self._world, self._parameters = world, parameters
        self._starts = False  # as soon as a gradient is there
        self._under_way: dict[nn.Parameter, Any] = {}  # torch.distributed.Work
        for parameter in parameters if world.size > 1 else ():
            if parameter.numel() >= LARGE:
                parameter.register_post_accumulate_grad_hook(self._note)  # type: ignore[no-untyped-call]

    @contextmanager
    def beside_the_backward_pass(self) -> Iterator[None]:
        """Send large gradients as soon as they are there; each must be accumulated once while the body runs."""
        self._starts = True
        try:
            with ExitStack() as undo:
                undo.callback(self._under_way.clear)  # or the next step would take those for its own
                yield
                undo.pop_all()
        finally:
            self._starts = False

    def finish(self) -> None:
        """Send the others, and wait until all gradients are sums.

        Raises:
            LostProcessError: another process is gone or silent.
        """
        if self._world.size == 1:
            return
        given = [p for p in self._parameters if p.grad is not None]
        for parameter in given:
            if parameter.numel() >= LARGE and parameter not in self._under_way:
                self._send(parameter)
        small = [as_it_lies(p) for p in given if p.numel() < LARGE]
        together = torch.cat([grad.reshape(-1) for grad in small]) if small else None
        with heard():
            works = list(self._under_way.values())
            works += [] if together is None else [dist.all_reduce(together, async_op=True)]
            for work in works:
                work.wait()
        self._under_way.clear()
        if together is not None:
            for grad, total in zip(small, torch.split(together, [grad.numel() for grad in small]), strict=True):
                grad.copy_(total.view_as(grad))

    def _note(self, parameter: Tensor) -> None:
        assert isinstance(parameter, nn.Parameter)
        if self._starts:
            self._send(parameter)

    def _send(self, parameter: nn.Parameter) -> None:
        with heard():
            self._under_way[parameter] = dist.all_reduce(as_it_lies(parameter), async_op=True)


def as_it_lies(parameter: nn.Parameter) -> Tensor:
    """Return a gradient in the order of memory, which is that of its weights and so the same in all processes."""
    grad = parameter.grad
    assert grad is not None
    return grad.permute(0, 2, 3, 1) if grad.dim() == 4 and not grad.is_contiguous() else grad
