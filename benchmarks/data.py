"""Images a second that one core loads, beside the official code if you have it.

python -m benchmarks.data --dataroot ./datasets/horse2zebra --official ../pytorch-CycleGAN-and-pix2pix

Every side loads the same files in the same process that uses them, on one core, and hands over float32 in [-1, 1].
The sides take turns, so that a noisy machine hits all. ``levels`` is ours without the last step, which a GPU does;
``ram`` and ``disk`` are ours with ``--cache``, once it is filled. Flags that this program does not know go to all.
"""

import argparse
import importlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from benchmarks import report
from benchmarks.official import options_of
from benchmarks.processes import in_own_process

SIDES = ("ours", "levels", "ram", "disk")
TITLES = ("side", "images/s", "from", "to", "beside the official")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print one line per side."""
    args, flags = arguments().parse_known_args(argv)
    if args.job:
        print(json.dumps({"rates": measure(args, flags)}))
        return
    sides = (*SIDES, "official") if args.official else SIDES
    words = [*flags, "--dataroot", str(Path(args.dataroot).resolve()), "--epochs", str(args.epochs)]
    words += ["--official", str(Path(args.official).resolve())] if args.official else []
    rates: dict[str, list[float]] = {side: [] for side in sides}
    with report.one_sentence(args.benchmark):
        for number in range(1, args.rounds + 1):
            for side in sides:
                rates[side] += in_own_process("benchmarks.data", [*words, "--job", side])["rates"]
                report.say(f"round {number}/{args.rounds}, {side}: {rates[side][-1]:.0f} images/s")
    report.save(args, flags, [{"side": side, "images_per_second": found} for side, found in rates.items()])
    official = statistics.median(rates["official"]) if args.official else None
    print(report.table(TITLES, [cells(side, found, official) for side, found in rates.items()]))


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself."""
    parser = report.new_parser("data", __doc__)
    add = parser.add_argument
    add("--dataroot", required=True, metavar="FOLDER", help="images, as train.py takes them")
    add("--rounds", type=int, default=3, help="processes per side; default: %(default)s")
    add("--epochs", type=int, default=2, help="timed per process, after one to warm up; default: %(default)s")
    add("--official", default="", metavar="FOLDER", help="folder of the official code, to measure it as well")
    add("--job", choices=(*SIDES, "official"), help=argparse.SUPPRESS)  # the side of the process that is measured
    return parser


def cells(side: str, rates: Sequence[float], official: float | None) -> list[str]:
    """Return a side's line of the table."""
    median = statistics.median(rates)
    found = map(report.number, (median, min(rates), max(rates), median / official if official else None))
    return [side, *found]


def measure(args: argparse.Namespace, flags: list[str]) -> list[float]:
    """Return images a second of each epoch but the first, in this process, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    words = ["--dataroot", args.dataroot, "--num_threads", "0", *flags]
    with tempfile.TemporaryDirectory() as folder:
        if args.job == "official":
            epoch = official(Path(args.official), words)
        else:
            cache = ["--cache", args.job, "--cache_dir", folder] if args.job in ("ram", "disk") else []
            epoch = ours([*words, *cache], levels=args.job == "levels")
        return [rate(epoch, number) for number in range(1, args.epochs + 2)][1:]


def rate(epoch: Callable[[int], Iterator[int]], number: int) -> float:
    """Return images per second."""
    start = time.perf_counter()
    return sum(epoch(number)) / (time.perf_counter() - start)


def ours(flags: list[str], *, levels: bool) -> Callable[[int], Iterator[int]]:
    """Return a function that loads an epoch of ours and yields the images of each batch."""
    from data.batch import Batch
    from data.loader import Loader
    from data.registry import create_dataset
    from options.cli import parse_train
    from util.distributed import World

    opt = parse_train(flags)
    loader = Loader(create_dataset(opt), opt.data, World(0, 1, torch.device("cpu")))

    def as_loaded(batch: Batch) -> Batch:
        return batch

    if levels:
        loader._to_device = as_loaded  # type: ignore[assignment]
    return lambda number: (batch.size * (1 + (batch.B is not None)) for batch in loader.epoch(number))


def official(folder: Path, flags: list[str]) -> Callable[[int], Iterator[int]]:
    """Return the same of the official code."""
    opt = options_of(folder, flags)
    batches = importlib.import_module("data").create_dataset(opt)
    return lambda number: (len(batch["A"]) + len(batch.get("B", ())) for batch in batches)


if __name__ == "__main__":
    main()
