"""What several processes cost: a step of one and of N with as many images each, and what it is made of.

python -m benchmarks.scaling --model cycle_gan --processes 2
python -m benchmarks.scaling --model pix2pix --processes 2 4 --size 256 --json scaling.json
python -m benchmarks.scaling --step 0.05 --bytes 113e6 --bandwidth 200e9 --latency 30e-6 --processes 8 64

Each process has one thread on the CPU, or a GPU of its own. The parts of a step are measured by themselves: computing,
in N processes that do not talk; and averaging, in N that do nothing else. Their sum is beside what a whole step took.
With --step nothing is measured: the same sum is worked out from the figures given (bandwidth in bytes a second).
"""

import argparse
import copy
import json
import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from benchmarks import report
from benchmarks.clock import timed
from benchmarks.job import random_images
from benchmarks.ours import Steps
from benchmarks.processes import end_children_too, in_own_process
from models.stepper import Stepper
from options.cli import parse_train
from util.distributed import World, session
from util.gradient_sum import GradientSum

TITLES = ("processes", "s/step", "efficiency", "computing", "averaging", "sum", "off", "generator, DDP beside by hand")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, or work out, and print a line for each number of processes."""
    args, flags = arguments().parse_known_args(argv)
    if args.job:
        measured(args, flags)
    elif args.step:
        for count in args.processes:
            total = expected(args.step, [args.bytes], count, bandwidth=args.bandwidth, latency=args.latency)
            print(f"{count} processes: {total:.4f} s/step, efficiency {args.step / total:.1%}")
    else:
        compare(args, flags)


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself; others go to the training."""
    parser = report.new_parser("scaling", __doc__)
    add = parser.add_argument
    add("--model", default="cycle_gan", help="cycle_gan or pix2pix; default: %(default)s")
    add("--size", type=int, default=256, help="side of the images, pixels; default: %(default)s")
    add("--batch_size", type=int, default=1, help="of each process; default: %(default)s")
    add("--processes", nargs="+", type=int, default=[2], help="default: %(default)s")
    add("--rounds", type=int, default=3, help="turns of one process and many; default: %(default)s")
    add("--steps", type=int, default=3, help="timings of each part in a round; default: %(default)s")
    add("--step", type=float, help="work out: seconds that a process computes")
    add("--bytes", type=float, default=0.0, help="work out: of the gradients")
    add("--bandwidth", type=float, default=1e9, help="work out: bytes a second between two processes")
    add("--latency", type=float, default=1e-4, help="work out: seconds of a message")
    add("--job", action="store_true", help=argparse.SUPPRESS)  # what the processes are told that are measured
    return parser


def expected(computing: float, sizes: Sequence[float], processes: int, *, bandwidth: float, latency: float) -> float:
    """Return the seconds of a step whose gradients go round a ring (Patarasu and Yuan 2009, theorem 1).

    Args:
        computing: seconds without averaging.
        sizes: bytes of the gradients of each phase.
        bandwidth: bytes a second that a process sends.
        latency: seconds of each of the 2 (N - 1) messages.
    """
    rounds = 2 * (processes - 1)
    return computing + sum(rounds * (latency + size / processes / bandwidth) for size in sizes)


def compare(args: argparse.Namespace, flags: Sequence[str]) -> None:
    """Let one process and many take turns; print the table."""
    found: dict[int, list[dict[str, Any]]] = {count: [] for count in (1, *args.processes)}
    for number in range(1, args.rounds + 1):
        for count, results in found.items():
            words = ["--standalone", f"--nproc_per_node={count}", "-m", "benchmarks.scaling", "--job"]
            words += ["--model", args.model, "--size", str(args.size)]
            words += ["--batch_size", str(args.batch_size), "--steps", str(args.steps)]
            threads = {} if torch.cuda.is_available() else {"OMP_NUM_THREADS": "1"}
            results.append(in_own_process("torch.distributed.run", [*words, *flags], env=threads))
            report.say(f"round {number}/{args.rounds}, {count} processes: {results[-1]['together']:.3f} s/step")
    rows = [row(count, results, found[1]) for count, results in found.items()]
    report.save(args, flags, [{"processes": count, "rounds": results} for count, results in found.items()])
    print(report.table(TITLES, rows))


def row(count: int, results: Sequence[dict[str, Any]], alone: Sequence[dict[str, Any]]) -> list[str]:
    """Return a line of the table; ratios are taken round by round."""

    def median(name: str) -> float:
        return statistics.median(float(result[name]) for result in results)

    efficiency = [one["together"] / many["together"] for one, many in zip(alone, results, strict=True)]
    cells = [str(count), report.number(median("together")), report.spread(efficiency), report.number(median("apart"))]
    if count == 1:
        return [*cells, "-", "-", "-", "-"]
    sums = [result["apart"] + result["averaging"] for result in results]
    off = statistics.median(total / result["together"] - 1 for total, result in zip(sums, results, strict=True))
    ddp = report.spread([result["ddp"] / result["by_hand"] for result in results])
    return [*cells, report.number(median("averaging")), report.number(statistics.median(sums)), f"{off:+.1%}", ddp]


def measured(args: argparse.Namespace, flags: Sequence[str]) -> None:
    """Measure as one of the processes; the main one prints the medians in seconds."""
    words = ["--model", args.model, "--dataroot", "unused", *flags]
    with session(parse_train(words).run) as world:
        images = random_images(args.size, args.batch_size, seed=world.rank)
        figures = parts(Steps(words, *images, world), args.steps)
        slowest = world.everyones(round(1e9 * figures["together"]))
        if world.is_main:
            print(json.dumps({**figures, "together": max(slowest) / 1e9}), flush=True)
    os._exit(0)  # without Python's cleaning up, in which a thread of gloo sometimes aborts


def parts(training: Steps, count: int) -> dict[str, float]:
    """Return the medians of a whole step, of one without averaging, of averaging, and of a generator's two ways."""
    stepper, world, batch = training.stepper, training.world, training.batch()
    alone = Stepper(training.model, training.opt.optim, World(0, 1, world.device))

    def step(stepper: Stepper) -> None:
        stepper.step(batch, training.progress)
        training.progress.advance(batch.size)

    def average() -> None:
        for optimizer in stepper.optimizers.values():
            optimizer.gradient_sum.finish()

    ways = {"apart": lambda: step(alone), "together": lambda: step(stepper), "averaging": average}
    ways |= generator_ways(next(iter(training.model.networks.values())), batch.A, world)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(1 + count):  # the first warms up
        for name, way in ways.items():
            world.any(False)  # all begin together
            taken = timed(way)
            seconds[name] += [taken] if turn else []
    return {name: statistics.median(values) for name, values in seconds.items()}


def generator_ways(network: nn.Module, x: Tensor, world: World) -> dict[str, Callable[[], None]]:
    """Return a generator's forward and backward pass and update, with averaging by hand and by PyTorch's DDP."""
    if world.size == 1:
        return {}
    by_hand, inner = (copy.deepcopy(network) for _ in range(2))
    for one in (by_hand, inner):
        one.train()
        one.requires_grad_(True)
    ddp = DistributedDataParallel(inner, broadcast_buffers=False, gradient_as_bucket_view=True, static_graph=True)

    ours = GradientSum(list(by_hand.parameters()), world)

    def way(called: nn.Module, own: nn.Module, finish: Callable[[], None]) -> Callable[[], None]:
        optimizer = torch.optim.Adam(own.parameters())

        def run() -> None:
            optimizer.zero_grad()
            loss = called(x).abs().mean() / world.size
            with ours.beside_the_backward_pass() if called is by_hand else nullcontext():
                loss.backward()
            finish()
            optimizer.step()

        return run

    return {
        "by_hand": way(by_hand, by_hand, ours.finish),
        "ddp": way(ddp, inner, lambda: None),
    }


if __name__ == "__main__":
    if "LOCAL_RANK" not in os.environ:
        end_children_too()
    main()
