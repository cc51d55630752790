"""Record the work of a training step once, and repeat it without the host's help: CUDA graphs.

A repeated step runs the same kernels on the same memory, and no Python. So whatever changes from step to step must be
an input, or a tensor that is changed in place: weights, moments, the learning rate. Random numbers are PyTorch's care:
a repeated step draws from the seed and position that the CUDA generator has then (``CUDAGeneratorImpl.h``, note on
graph-safe states), so seeding before a step means the same whether it is repeated or not.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

import torch
from torch import Tensor

log = logging.getLogger(__name__)

T = TypeVar("T")

WARM_UPS = 3  # steps before one is recorded: kernels are chosen, code is compiled, moments get their memory
MOST_RECORDINGS = 4  # each keeps the memory of a whole step


class Learned(NamedTuple):
    """What a step leaves: numbers for anyone to keep, and what is valid until the next step."""

    numbers: Tensor
    shown: Any  # whatever the caller shows: nested tensors, names


class Capture(Protocol):
    """What can record work that needs nothing of the host."""

    def warm(self, work: Callable[[], T]) -> T:
        """Do the work where ``record`` would record it."""

    def record(self, work: Callable[[], T]) -> tuple[T, Callable[[], None]]:
        """Record the work without doing it; return what it leaves, each time in the same memory, and what does it."""


class CudaCapture:
    """Records on a stream of its own; the libraries prepare themselves for each stream, so it is warmed up there."""

    def __init__(self, device: torch.device) -> None:
        self._stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def warm(self, work: Callable[[], T]) -> T:
        """Do the work on that stream, between what the current one did and will do."""
        current = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            left = work()
        current.wait_stream(self._stream)
        return left

    def record(self, work: Callable[[], T]) -> tuple[T, Callable[[], None]]:
        """Record a graph that runs on the stream that is current then. Synchronises the device."""
        graph = torch.cuda.CUDAGraph()
        # thread_local: the thread that pins the loader's batches may ask the driver for memory meanwhile
        with torch.cuda.graph(graph, stream=self._stream, capture_error_mode="thread_local"):  # sync
            left = work()
        return left, graph.replay


@dataclass
class _Recording:
    """The step for inputs of certain shapes, as far as it has come."""

    inputs: list[Tensor]  # always the same memory
    warm_ups: int = 0
    recorded: tuple[Learned, Callable[[], None]] | None = None


class StepGraph:
    """Takes steps: the first of each shape as they are, the others from a recording.

    All of them are real steps, of the same mathematics.

    Args:
        learn: takes a step with inputs on the device, whose first dimension is that of the batch. It may neither ask
            the device for a value nor draw on the CPU, and hold on to no graph of gradients.
    """

    def __init__(self, learn: Callable[[Sequence[Tensor]], Learned], capture: Capture, device: torch.device) -> None:
        self._learn, self._capture, self._device = learn, capture, device
        self._recordings: dict[tuple[torch.Size, ...], _Recording] = {}
        self._largest = 0  # batch

    def __call__(self, inputs: Sequence[Tensor]) -> Learned:
        """Take a step.

        Smaller batches than before (the last of an epoch), and shapes beyond ``MOST_RECORDINGS``, are not recorded.

        Args:
            inputs: tensors on the device, or pinned ones.

        Returns:
            ``numbers`` of the caller's own, and ``shown`` in memory that the next step overwrites.
        """
        self._largest = max(self._largest, len(inputs[0]))
        recording = self._recording(inputs) if len(inputs[0]) == self._largest else None
        left = self._repeat(recording, inputs) if recording else self._learn([self._here(given) for given in inputs])
        return left._replace(numbers=left.numbers.clone())

    def forget(self) -> None:
        """Drop the recordings: for when weights, moments or image pools have moved to other memory."""
        self._recordings.clear()

    def _recording(self, inputs: Sequence[Tensor]) -> _Recording | None:
        shapes = tuple(given.shape for given in inputs)
        if shapes not in self._recordings and len(self._recordings) < MOST_RECORDINGS:
            self._recordings[shapes] = _Recording([torch.empty_like(given, device=self._device) for given in inputs])
        return self._recordings.get(shapes)

    def _repeat(self, recording: _Recording, inputs: Sequence[Tensor]) -> Learned:
        for place, given in zip(recording.inputs, inputs, strict=True):
            place.copy_(given, non_blocking=True)
        if recording.warm_ups < WARM_UPS:
            recording.warm_ups += 1
            return self._capture.warm(lambda: self._learn(recording.inputs))
        if recording.recorded is None:
            recording.recorded = self._capture.record(lambda: self._learn(recording.inputs))
            log.info("recorded a training step on images of %s", "x".join(map(str, inputs[0].shape)))
        left, replay = recording.recorded
        replay()
        return left

    def _here(self, given: Tensor) -> Tensor:
        return given.to(self._device, non_blocking=True)
