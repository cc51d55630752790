"""Seconds and memory of one training step, beside the official code if you have it.

python -m benchmarks.step --model cycle_gan --size 256
python -m benchmarks.step --model pix2pix --official ../pytorch-CycleGAN-and-pix2pix

Each side runs in processes of its own, in turns, so that a noisy machine hits both. Flags that this
program does not know go to both sides, such as ``--ngf 32``.
"""

import argparse
import importlib
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from benchmarks.sides import in_own_process, official_options


def main() -> None:
    """Measure, print one line per side and the ratio."""
    args, flags = arguments().parse_known_args()
    if args.side:
        print(json.dumps(measure(args, flags)))
        return
    sides = ["ours", "official"] if args.official else ["ours"]
    rounds: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for _ in range(args.rounds):
        for side in sides:
            rounds[side].append(in_own_process("benchmarks.step", side, sys.argv[1:]))
    for side in sides:
        seconds = [second for result in rounds[side] for second in result["seconds"]]
        memory = statistics.median(result["memory"] for result in rounds[side])
        print(
            f"{side:>8}: {statistics.median(seconds):7.3f} s/step (median of {len(seconds)}, "
            f"fastest {min(seconds):.3f}), {memory / 2**20:7.0f} MiB peak"
        )
    if args.official:
        time_ratio, memory_ratio = (ratio(rounds, key) for key in ("seconds", "memory"))
        print(f"   ratio: {time_ratio:.3f} of the official time, {memory_ratio:.3f} of its memory")


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="cycle_gan", help="cycle_gan or pix2pix")
    parser.add_argument("--size", type=int, default=256, help="side of the images, pixels")
    parser.add_argument("--batch_size", type=int, default=1)
    parser.add_argument("--steps", type=int, default=4, help="timed steps per process, after 2 to warm up")
    parser.add_argument("--rounds", type=int, default=3, help="processes per side")
    parser.add_argument("--official", help="folder of the official code")
    parser.add_argument("--side", choices=["ours", "official"], help=argparse.SUPPRESS)
    return parser


def measure(args: argparse.Namespace, flags: list[str]) -> dict[str, Any]:
    """Time steps on random images in this process."""
    torch.backends.cudnn.benchmark = True  # as both train.py do
    random = torch.Generator().manual_seed(0)
    A, B = (torch.rand(args.batch_size, 3, args.size, args.size, generator=random) * 2 - 1 for _ in range(2))
    words = ["--model", args.model, "--dataroot", "unused", "--batch_size", str(args.batch_size), *flags]
    step = ours(words, A, B) if args.side == "ours" else official(Path(args.official).resolve(), words, A, B)
    seconds = [timed(step) for _ in range(args.steps + 2)][2:]
    if torch.cuda.is_available():
        memory = torch.cuda.max_memory_allocated()
    else:
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "memory": memory}


def timed(step: Callable[[], object]) -> float:
    """Return the seconds of one call, the device's work included."""
    start = time.perf_counter()
    step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


def ours(flags: list[str], A: torch.Tensor, B: torch.Tensor) -> Callable[[], object]:
    """Return a function that trains our model by one step."""
    from data.batch import Batch
    from models.registry import create_model
    from models.stepper import Stepper
    from options.cli import parse_train
    from util.distributed import World, choose_device
    from util.progress import Progress

    opt = parse_train(flags)
    world = World(0, 1, choose_device(opt.run))
    model = create_model(opt).place(world.device)
    stepper, progress = Stepper(model, opt.optim, world), Progress()

    last: list[Any] = []

    def step() -> None:
        last[:] = stepper.step(Batch(A, B, ("A",), ("B",)).to(world.device), progress)  # kept, as train.py does
        progress.advance(len(A))

    return step


def official(folder: Path, flags: list[str], A: torch.Tensor, B: torch.Tensor) -> Callable[[], object]:
    """Return a function that trains the official code's model by one step."""
    opt = official_options(folder, flags)
    model = importlib.import_module("models").create_model(opt)
    model.setup(opt)

    def step() -> None:
        model.set_input({"A": A, "B": B, "A_paths": ["A"], "B_paths": ["B"]})
        model.optimize_parameters()

    return step


def ratio(rounds: dict[str, list[dict[str, Any]]], key: str) -> float:
    """Return ours over official, by medians."""

    def middle(side: str) -> float:
        values = [result[key] for result in rounds[side]]
        return statistics.median([v for value in values for v in (value if isinstance(value, list) else [value])])

    return middle("ours") / middle("official")


if __name__ == "__main__":
    main()
