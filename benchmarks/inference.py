"""Milliseconds, memory and floating point operations of translating images, beside the official code if you have it.

python -m benchmarks.inference --official ../pytorch-CycleGAN-and-pix2pix
python -m benchmarks.inference --networks resnet_9blocks --sizes 256 --batch_sizes 1 16 --ours "--precision bf16"

What test.py does with a batch, without reading and writing files. A ResNet has the norm of CycleGAN, a U-Net the norm
and the dropout of pix2pix; "unet" is unet_256 where the size allows it, else unet_128. Each side runs in processes of
its own, in turns. Flags that this program does not know go to all sides, such as --eval.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import official, sweep
from benchmarks.clock import measure
from benchmarks.job import Job, read_job
from benchmarks.processes import end_children_too
from benchmarks.rows import COLUMNS, Cell
from benchmarks.sides import parse
from benchmarks.sweep import Topic


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print one line per cell and side."""
    parser = sweep.arguments("inference", __doc__)
    networks = ["resnet_9blocks", "unet"]
    parser.add_argument(
        "--networks", nargs="+", default=networks, help="values of --netG; default: resnet_9blocks unet"
    )
    parser.set_defaults(sizes=[128, 256, 512], batch_sizes=[1, 4, 16])
    args, flags = parse(parser, argv)
    if args.job:
        print(json.dumps(result(read_job(args.job))))
        return
    sweep.main(topic(), args, flags, args.networks, [name for name in COLUMNS if name != "s/step"])


def topic() -> Topic:
    """Return what is particular about translating."""
    from benchmarks import ours
    from options.cli import parse_test

    return Topic("benchmarks.inference", False, command_line, parse_test, ours.operations_of_translation)


def command_line(cell: Cell, flags: Sequence[str]) -> list[str]:
    """Return what ``test.py`` would be given; the images are random."""
    network = cell.what
    if network == "unet":
        network = "unet_256" if cell.size % 256 == 0 else "unet_128"
    norm = ["--norm", "batch"] if network.startswith("unet") else ["--norm", "instance", "--no_dropout"]
    return ["--model", "test", "--dataroot", "unused", "--netG", network, *norm, *flags]


def result(job: Job) -> dict[str, Any]:
    """Time translations of random images in this process."""
    A, _ = job.images()
    if job.folder:
        translate, precision = official.translation(Path(job.folder), job.flags, A), official.precision()
    else:
        from benchmarks import ours  # not where the official code takes its place and is measured

        translate, precision = ours.translation(job.flags, A)
    return {**measure(translate, job.timings), "precision": precision}


if __name__ == "__main__":
    end_children_too()
    main()
