"""What the machine is, and the most that it does: the speed of one large convolution in each precision.

python -m benchmarks.machine
python -m benchmarks.machine --json machine.json

A 3 x 3 convolution of 256 to 256 channels at 64 x 64 pixels is what a ResNet generator spends its time on. Medians; the
better of two layouts in memory; with the backward pass, by images and by weights, and without.
"""

import argparse
import contextlib
import json
import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch.nn import functional as F

from benchmarks import report
from benchmarks.clock import measure
from benchmarks.description import describe, fast_instructions
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

    def cells(self) -> list[str]:
        """Return a line of the table."""
        work = "forward and backward" if self.training else "forward"
        return [work, self.precision, self.layout, report.number(self.flops_per_second / 1e12)]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = report.new_parser("machine", __doc__)
    parser.add_argument("--job", choices=("training", "inference"), help=argparse.SUPPRESS)  # for ``ceilings``
    args = parser.parse_args(argv)
    if args.job:
        speeds = all_speeds(training=args.job == "training")
        print(json.dumps({speed.precision: speed.flops_per_second for speed in speeds}))
        return
    for name, value in describe().items():
        print(f"{name:>20}: {', '.join(value) if isinstance(value, list) else value}")
    both = [*all_speeds(training=True), *all_speeds(training=False)]
    print(report.table(("work", "precision", "layout", "TFLOP/s"), [speed.cells() for speed in both]))
    report.save(args, [], [speed._asdict() for speed in both])


def ceilings(*, training: bool) -> dict[str, float]:
    """Return floating point operations a second by ``--precision``, measured by a process of its own."""
    speeds = in_own_process("benchmarks.machine", ["--job", "training" if training else "inference"])
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
    times = 3 if training else 1  # backward: two more of that size
    return Speed(precision, layout, training, times * once / seconds)


@contextlib.contextmanager
def _kernels(precision: str) -> Iterator[None]:
    """Choose a GPU's kernels while the body runs."""
    before = torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = True, precision != "fp32"
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark, torch.backends.cudnn.allow_tf32 = before


if __name__ == "__main__":
    main()
