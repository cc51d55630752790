"""Floating point operations: the most that the device does in a second, and those of a piece of work."""

import contextlib
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.clock import measure
from benchmarks.description import fast_instructions
from benchmarks.processes import in_own_process

CHANNELS, PIXELS, KERNEL = 256, 64, 3
IMAGES_ON_CPU, IMAGES = 1, 32  # in a batch
TIMINGS = 5
HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
FAST_FP16 = {"avx512_fp16", "amx_fp16", "asimdhp"}  # of CPUs; others take a hundred times as long


class Speed(NamedTuple):
    """How fast the convolution is in a precision, in its better layout; ``training`` is with the backward pass."""

    precision: str
    layout: str
    training: bool
    flops_per_second: float


def ceilings(*, training: bool) -> dict[str, float]:
    """Return floating point operations a second by ``--precision``, measured by a process of its own."""
    speeds = in_own_process("benchmarks.ceiling", ["training" if training else "inference"])
    return with_mixed({name: float(value) for name, value in speeds.items()}, training=training)


def with_mixed(speeds: dict[str, float], *, training: bool) -> dict[str, float]:
    """Add ``mixed``, which does a third of the operations in float32, forward, and two in bfloat16, backward."""
    if not {"fp32", "bf16"} <= set(speeds):
        return speeds
    return speeds | {"mixed": 3 / (1 / speeds["fp32"] + 2 / speeds["bf16"]) if training else speeds["fp32"]}


def all_speeds(*, training: bool) -> list[Speed]:
    """Measure every precision that the device is built for, in this process."""
    device = default_device()
    return [
        max(
            (_speed(device, precision, layout, training=training) for layout in LAYOUTS),
            key=lambda s: s.flops_per_second,
        )
        for precision in precisions(device)
    ]


def default_device() -> torch.device:
    """Return where a training computes unless told otherwise."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def precisions(device: torch.device) -> list[str]:
    """Return what the device is built for."""
    if device.type == "cuda":
        ampere = torch.cuda.get_device_capability() >= (8, 0)
        return ["fp32", "tf32", "bf16", "fp16"] if ampere else ["fp32", "fp16"]
    if device.type == "cpu":
        return ["fp32", "bf16", "fp16"] if FAST_FP16 & set(fast_instructions()) else ["fp32", "bf16"]
    return ["fp32"]


def operations(work: Callable[[], object]) -> int:
    """Return the floating point operations of a call: convolutions and matrix products, 2 for a multiply-add."""
    with FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def _speed(device: torch.device, precision: str, layout: str, *, training: bool) -> Speed:
    images = IMAGES_ON_CPU if device.type == "cpu" else IMAGES
    dtype, memory = HALF.get(precision, torch.float32), LAYOUTS[layout]

    def random(*shape: int) -> torch.Tensor:
        values = torch.randn(shape, device=device)
        return values.to(dtype).to(memory_format=memory).requires_grad_(training)

    x, weight = random(images, CHANNELS, PIXELS, PIXELS), random(CHANNELS, CHANNELS, KERNEL, KERNEL)
    gradient = torch.randn_like(x)

    def work() -> None:
        out = F.conv2d(x, weight, padding=KERNEL // 2)
        if training:
            torch.autograd.grad(out, (x, weight), gradient)

    with _kernels(precision):
        seconds = statistics.median(measure(work, TIMINGS)["seconds"])
    once = 2 * images * PIXELS**2 * CHANNELS**2 * KERNEL**2
    return Speed(
        precision, layout, training, once * (3 if training else 1) / seconds
    )  # backward: two more of that size


@contextlib.contextmanager
def _kernels(precision: str) -> Iterator[None]:
    """Choose a GPU's kernels while the body runs."""
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = True, precision != "fp32"
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = before


def main() -> None:
    """Print the speeds as JSON, for ``ceilings``."""
    speeds = all_speeds(training=sys.argv[1] == "training")
    print(json.dumps({speed.precision: speed.flops_per_second for speed in speeds}))


if __name__ == "__main__":
    main()
