"""What saving costs a training: the wait of the step, the save's own time, and the slower step beside it.

python -m benchmarks.checkpoint
python -m benchmarks.checkpoint --model pix2pix --size 256 --rounds 8

A full training is built, trained for a few steps, and saved as ``train.py`` saves. Steps with a save under way
and steps without take turns, so that a noisy machine hits both.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.clock import synchronize
from data.batch import Batch
from models.registry import create_model
from models.saver import Saver
from models.stepper import Stepper
from models.training import Training
from options.cli import parse_train
from util.distributed import World, choose_device
from util.progress import Progress


def main() -> None:
    """Measure and print."""
    args, flags = arguments().parse_known_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        figures = measure(args, flags, Path(folder))
    own, step = statistics.median(figures["own"]), statistics.median(figures["quiet"])
    wait, extra = statistics.median(figures["wait"]), statistics.median(figures["busy"]) - step
    print(f"state {figures['state'] / 1e6:.0f} MB, with the weight files {figures['all'] / 1e6:.0f} MB")
    print(f"a save takes {own:.3f} s; a step takes {step:.3f} s")
    print(f"the step waits {wait * 1e3:.1f} ms for it: {wait / own:.1%} of the save, {wait / step:.2%} of the step")
    print(f"the first save, which takes the memory, {figures['first'] * 1e3:.1f} ms")
    print(f"the step beside the writing is {extra * 1e3:+.0f} ms slower: {extra / step:+.1%}")


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself; others go to the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="cycle_gan", help="cycle_gan or pix2pix")
    parser.add_argument("--size", type=int, default=256, help="side of the images, pixels")
    parser.add_argument("--rounds", type=int, default=6, help="pairs of a step with a save and one without")
    parser.add_argument("--folder", help="where to write; the system's temporary folder unless given")
    return parser


def measure(args: argparse.Namespace, flags: list[str], folder: Path) -> dict[str, Any]:
    """Train and save; return seconds and bytes."""
    opt = parse_train(["--model", args.model, "--dataroot", "unused", *flags])
    world = World(0, 1, choose_device(opt.run))
    model = create_model(opt).place(world.device)
    stepper, progress = Stepper(model, opt.optim, world), Progress()
    saver = Saver(Training(opt, model, stepper, progress), folder)
    images = [torch.rand(1, 3, args.size, args.size) * 2 - 1 for _ in range(2)]
    for pool in getattr(model, "pools", {}).values():  # as after the first images of a long run
        pool.images = [images[0][0].clone().to(world.device) for _ in range(pool.size)]

    kept: list[Any] = []

    def step() -> float:
        start = time.perf_counter()
        batch = Batch(images[0], images[1], ("A",), ("B",)).to(world.device)
        kept[:] = stepper.step(batch, progress)  # kept, as train.py does
        progress.advance(1)
        synchronize()
        return time.perf_counter() - start

    def save() -> float:
        start = time.perf_counter()
        saver.save("latest")
        return time.perf_counter() - start

    for _ in range(2):
        step()
    figures: dict[str, Any] = {"first": save(), "own": [], "wait": [], "busy": [], "quiet": []}
    saver.finish()
    for _ in range(args.rounds):
        figures["quiet"].append(step())
        figures["wait"].append(save())
        figures["busy"].append(step())
        saver.finish()
        start = time.perf_counter()
        save()
        saver.finish()
        figures["own"].append(time.perf_counter() - start)
    figures["state"] = (folder / "latest_state.pth").stat().st_size
    figures["all"] = figures["state"] + sum(path.stat().st_size for path in folder.glob("*_net_*.pth"))
    return figures


if __name__ == "__main__":
    main()
