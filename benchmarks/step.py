"""Seconds, memory and floating point operations of one training step, beside the official code if you have it.

python -m benchmarks.step --model cycle_gan --size 256
python -m benchmarks.step --model pix2pix --official ../pytorch-CycleGAN-and-pix2pix
python -m benchmarks.step --sizes 128 256 --batch_sizes 1 4 --ours "" --ours "fast: --precision bf16 --compile nets"

Each side runs in processes of its own, in turns, so that a noisy machine hits all. Flags that this program does not
know go to all sides, such as --ngf 32; whatever changes the networks must. CUDA_VISIBLE_DEVICES="" leaves a GPU alone.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from benchmarks import official, sweep
from benchmarks.clock import measure
from benchmarks.job import Job, read_job
from benchmarks.processes import end_children_too
from benchmarks.rows import COLUMNS, Cell
from benchmarks.sides import parse
from benchmarks.sweep import Topic


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print one line per cell and side."""
    parser = sweep.arguments("step", __doc__)
    parser.add_argument("--model", default="cycle_gan", help="cycle_gan or pix2pix; default: %(default)s")
    args, flags = parse(parser, argv)
    if args.job:
        print(json.dumps(result(read_job(args.job))))
        return
    sweep.main(topic(), args, flags, [args.model], [name for name in COLUMNS if name not in ("ms/image", "network")])


def topic() -> Topic:
    """Return what is particular about training steps."""
    from benchmarks import ours
    from options.cli import parse_train

    return Topic("benchmarks.step", True, command_line, parse_train, ours.operations_of_step)


def command_line(cell: Cell, flags: Sequence[str]) -> list[str]:
    """Return what ``train.py`` would be given; the images are random."""
    return ["--model", cell.what, "--dataroot", "unused", "--batch_size", str(cell.batch_size), *flags]


def result(job: Job) -> dict[str, Any]:
    """Time steps on random images in this process."""
    torch.backends.cudnn.benchmark = True  # as both train.py do
    A, B = job.images()
    if job.folder:
        step: Callable[[], object] = official.training_step(Path(job.folder), job.flags, A, B)
        precision = official.precision()
    else:
        from benchmarks import ours  # not where the official code takes its place and is measured

        steps = ours.Steps(job.flags, A, B)
        step, precision = steps.step, steps.model.compute.precision
    return {**measure(step, job.timings), "precision": precision}


if __name__ == "__main__":
    end_children_too()
    main()
