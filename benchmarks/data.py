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
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.official import options_of
from benchmarks.processes import in_own_process

SIDES = ("ours", "levels", "ram", "disk")
PARTS = ("pillow", "torchvision")


def main() -> None:
    """Measure, print one line per side."""
    args, flags = arguments().parse_known_args()
    if args.side:
        print(json.dumps(measure(args, flags)))
        return
    sides = (*SIDES, "official") if args.official else SIDES
    rates: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(args.rounds):
        for side in sides:
            rates[side] += in_own_process("benchmarks.data", [*sys.argv[1:], "--side", side])["rates"]
    medians = {side: statistics.median(values) for side, values in rates.items()}
    for side in sides:
        beside = f", {medians[side] / medians['official']:.2f} times the official" if args.official else ""
        low, high = min(rates[side]), max(rates[side])
        print(f"{side:>8}: {medians[side]:6.0f} images/s (median of {len(rates[side])}, {low:.0f}-{high:.0f}){beside}")
    for part in PARTS:
        seconds = in_own_process("benchmarks.data", [*sys.argv[1:], "--side", part])["seconds"]
        print(f"decoding a file with {part}: {statistics.median(seconds) * 1e6:.0f} us")


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataroot", required=True, help="folder of images")
    parser.add_argument("--rounds", type=int, default=3, help="processes per side")
    parser.add_argument("--epochs", type=int, default=2, help="timed epochs per process, after one to warm up")
    parser.add_argument("--official", help="folder of the official code")
    parser.add_argument("--side", choices=(*SIDES, "official", *PARTS), help=argparse.SUPPRESS)
    return parser


def measure(args: argparse.Namespace, flags: list[str]) -> dict[str, Any]:
    """Time epochs in this process, on one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    torch.set_num_threads(1)
    if args.side in PARTS:
        return {"seconds": decoding(args.side, args.dataroot)}
    words = ["--dataroot", str(Path(args.dataroot).resolve()), "--num_threads", "0", *flags]
    with tempfile.TemporaryDirectory() as folder:
        if args.side == "official":
            epoch = official(Path(args.official).resolve(), words)
        else:
            cache = ["--cache", args.side, "--cache_dir", folder] if args.side in ("ram", "disk") else []
            epoch = ours([*words, *cache], levels=args.side == "levels")
        return {"rates": [rate(epoch, number) for number in range(1, args.epochs + 2)][1:]}


def rate(epoch: Callable[[int], Iterator[int]], number: int) -> float:
    """Return images per second."""
    start = time.perf_counter()
    return sum(epoch(number)) / (time.perf_counter() - start)


def ours(flags: list[str], *, levels: bool) -> Callable[[int], Iterator[int]]:
    """Return a function that loads an epoch of ours and yields the images of each batch."""
    from data.loader import Loader
    from data.registry import create_dataset
    from options.cli import parse_train
    from util.distributed import World

    opt = parse_train(flags)
    loader = Loader(create_dataset(opt), opt.data, World(0, 1, torch.device("cpu")))
    if levels:
        loader._to_device = lambda batch: batch  # type: ignore[assignment,return-value]
    return lambda number: (batch.size * (1 + (batch.B is not None)) for batch in loader.epoch(number))


def official(folder: Path, flags: list[str]) -> Callable[[int], Iterator[int]]:
    """Return the same of the official code."""
    opt = options_of(folder, flags)
    batches = importlib.import_module("data").create_dataset(opt)
    return lambda number: (len(batch["A"]) + len(batch.get("B", ())) for batch in batches)


def decoding(library: str, folder: str) -> list[float]:
    """Return seconds per file to open and decode JPEG files into RGB arrays."""
    import numpy as np
    from PIL import Image
    from torchvision.io import ImageReadMode, decode_jpeg, read_file

    paths = [str(path) for path in sorted(Path(folder).rglob("*.jpg"))[:300]]

    def pillow(path: str) -> object:
        with Image.open(path) as image:
            return np.array(image)

    read = pillow if library == "pillow" else lambda path: decode_jpeg(read_file(path), mode=ImageReadMode.RGB)
    seconds = []
    for path in [*paths, *paths]:
        start = time.perf_counter()
        read(path)
        seconds.append(time.perf_counter() - start)
    return seconds[len(paths) :]


if __name__ == "__main__":
    main()
