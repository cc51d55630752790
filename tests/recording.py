"""CUDA graphs without a GPU: record the operations that PyTorch is asked for, and ask it for the same ones again.

As there, recording changes nothing that was there before, and repeating runs no Python of the recorded function: each
operation reads and writes the very tensors of the recording. An operation that would wait for a GPU is an error.
"""

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

T = TypeVar("T")

WAITING = {"_local_scalar_dense", "item", "nonzero", "equal", "is_nonzero", "masked_select", "_unique2"}
FROM_HOST = {"lift_fresh"}  # torch.tensor(...): a value of the host, frozen into the recording


def tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        yield from tensors(list(value.values()))


def address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


class NothingWaits(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuse operations that ask the device for a value, or tell it one that the host made up."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        assert name not in WAITING, f"{name} would wait for the device"
        assert name not in FROM_HOST, f"{name} copies from the host"
        by_mask = name.startswith("index") and any(tensor.dtype == torch.bool for tensor in tensors(args[1:2]))
        assert not by_mask, f"{name} by a mask would wait for the device"
        return func(*args, **(kwargs or {}))


class Operations(NothingWaits):  # type: ignore[no-untyped-call]
    """Note every operation and what memory it found."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []
        self._before: dict[int, tuple[Tensor, Tensor]] = {}  # by address: whole memory as bytes, and a copy of it
        self._made: dict[int, Tensor] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for tensor in tensors([args, kwargs]):
            if address(tensor) not in self._made and address(tensor) not in self._before:
                memory = torch.empty(0, dtype=torch.uint8).set_(tensor.untyped_storage())
                self._before[address(tensor)] = memory, memory.clone()
        result = super().__torch_dispatch__(func, types, args, kwargs)
        for tensor in tensors(result):
            if address(tensor) not in self._before:
                self._made.setdefault(address(tensor), tensor)
        self.calls.append((func, args, kwargs or {}, result))
        return result

    def undo(self) -> None:
        """Put back what was there before, and spoil what was made."""
        for memory, copy in self._before.values():
            memory.copy_(copy)
        for tensor in self._made.values():
            if tensor.is_floating_point():
                torch.empty(0, dtype=tensor.dtype).set_(tensor.untyped_storage()).fill_(torch.nan)

    @torch.no_grad()
    def repeat(self) -> None:
        """Do it all again."""
        for func, args, kwargs, result in self.calls:
            given = {address(tensor) for tensor in tensors([args, kwargs])}
            for old, new in zip(tensors(result), tensors(func(*args, **kwargs)), strict=True):
                if address(old) not in given:
                    old.copy_(new)


class CpuCapture:
    """Stands in for ``models.step_graph.CudaCapture``."""

    def __init__(self) -> None:
        self.warmed = self.recorded = self.repeated = 0

    def warm(self, work: Callable[[], T]) -> T:
        self.warmed += 1
        return work()

    def record(self, work: Callable[[], T]) -> tuple[T, Callable[[], None]]:
        self.recorded += 1
        operations, generator = Operations(), torch.get_rng_state()
        with operations:
            left = work()
        operations.undo()
        torch.set_rng_state(generator)

        def repeat() -> None:
            self.repeated += 1
            operations.repeat()

        return left, repeat
