"""What the dashboard costs a training, with a healthy, a missing, a stalled and a dying server.

python -m benchmarks.sinks
python -m benchmarks.sinks --rounds 8 --steps 60 --print_freq 5
python -m benchmarks.sinks --long_run 200000

The same training goes on in blocks of steps, with another server in each, so that a noisy machine hits all alike.
"""

import argparse
import contextlib
import os
import shutil
import signal
import statistics
import tempfile
import threading
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from benchmarks.clock import synchronize
from data.batch import Batch
from models.registry import create_model
from models.stepper import Stepper
from options.cli import parse_train
from options.schema import Options
from util.dashboard import server
from util.dashboard.address import Address
from util.dashboard.client import Client
from util.dashboard.saved import Sheets
from util.dashboard.sink import VisdomSink
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View, Windows
from util.distributed import World, choose_device
from util.health import Health
from util.progress import Progress
from util.sinks import Recorder
from util.sinks.events import Scalars
from util.sinks.history import History

SERVERS = ("off", "healthy", "missing", "stalled", "dying")
SECONDS_TO_LIVE = 3.0  # of a dying server
CONNECTING = 10  # steps before the timed ones, in which a dashboard is set up once
ENV, LAYOUT = "benchmark", Layout(1, "", 4)


def main() -> None:
    """Measure and print."""
    args, flags = arguments().parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.long_run:
            print_long_run(args.long_run, Address("http://localhost", args.port), Path(folder))
        else:
            print_blocks(args, parse_train(["--dataroot", "unused", *flags]), Path(folder))


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself; others go to the training."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=128, help="side of the images, pixels")
    parser.add_argument("--steps", type=int, default=40, help="in a block")
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS, help="off is always among them")
    parser.add_argument("--rounds", type=int, default=6, help="blocks with each server")
    parser.add_argument("--print_freq", type=int, default=10, help="steps between two reports; images every fourth one")
    parser.add_argument("--port", type=int, default=8199, help="this one and the next are used")
    parser.add_argument(
        "--long_run", type=int, default=0, metavar="REPORTS", help="measure posting after so many instead"
    )
    return parser


def print_blocks(args: argparse.Namespace, opt: Options, folder: Path) -> None:
    """Train in blocks and compare them."""
    training = BlockTraining(args, opt)
    training.block([])  # to warm up
    servers = list(dict.fromkeys(["off", *args.servers]))
    seconds: dict[str, list[float]] = {name: [] for name in servers}
    calls: dict[str, list[float]] = {name: [] for name in servers}
    for _ in range(args.rounds):
        for name in servers:
            with running(name, args.port, folder) as address:
                sinks = [] if name == "off" else [new_sink(address, History(), folder)]
                each, longest = training.block(sinks)
            seconds[name].append(each)
            calls[name].append(longest)
    for name in servers:
        ratios = [value / off for value, off in zip(seconds[name], seconds["off"], strict=True)]
        print(
            f"{name:>8}: {statistics.median(seconds[name]):.4f} s/step, {statistics.median(ratios):.4f} of the time "
            f"without (from {min(ratios):.3f} to {max(ratios):.3f}), longest report {max(calls[name]) * 1e3:.1f} ms"
        )


class BlockTraining:
    """A training that goes on block by block."""

    def __init__(self, args: argparse.Namespace, opt: Options) -> None:
        self.args, self.world = args, World(0, 1, choose_device(opt.run))
        self.model = create_model(opt).place(self.world.device)
        self.stepper, self.progress = Stepper(self.model, opt.optim, self.world), Progress(epoch_size=1000)
        images = [torch.rand(1, 3, args.size, args.size) * 2 - 1 for _ in range(2)]
        self.batch = Batch(images[0], images[1], ("A",), ("B",)).to(self.world.device)

    def block(self, sinks: list[Any]) -> tuple[float, float]:
        """Return the mean seconds of a step, its report included, and those of the longest report."""
        recorder, steps, reports = Recorder(sinks, self.world), [], [0.0]
        for number in range(1 - CONNECTING, self.args.steps + 1):
            start = time.perf_counter()
            out, losses, accuracies = self.stepper.step(self.batch, self.progress)
            self.progress.advance(1)
            recorder.step(self.progress, 1)
            if number % self.args.print_freq == 0:
                before = time.perf_counter()
                recorder.scalars(self.progress, losses, accuracies, learning_rate=2e-4, lap=(1.0, 0.0))
                if sinks:
                    reports.append(time.perf_counter() - before)
            if number % (4 * self.args.print_freq) == 0:
                recorder.images(self.progress, self.model.visuals(out))
            synchronize()
            steps.append(time.perf_counter() - start)
        steps = steps[CONNECTING:]
        recorder.__exit__()
        return statistics.fmean(steps), max(reports)


@contextlib.contextmanager
def running(name: str, port: int, folder: Path) -> Iterator[Address]:
    """Run the named kind of server while the body runs."""
    port += name == "missing"
    env_path, stop = folder / name, threading.Event()
    shutil.rmtree(env_path, ignore_errors=True)
    servers = [] if name in ("off", "missing") else [server.start_background(port, env_path=env_path)]

    def die_again_and_again() -> None:
        while not stop.wait(SECONDS_TO_LIVE):
            kill(servers[-1])
            servers.append(server.start_background(port, env_path=env_path))

    thread = threading.Thread(target=die_again_and_again)
    if name == "stalled":
        os.kill(servers[0].pid, signal.SIGSTOP)
    if name == "dying":
        thread.start()
    try:
        yield Address("http://localhost", port)
    finally:
        stop.set()
        if name == "dying":
            thread.join()
        for last in servers[-1:]:
            kill(last)


def kill(victim: server.BackgroundServer) -> None:
    """End a server at once, and wait until its port is free."""
    victim.process.kill()
    victim.process.wait()


def run_info(folder: Path) -> RunInfo:
    """Return what the dashboard is to say of the run."""
    return RunInfo(ENV, folder, "cycle_gan", 200, "lsgan")


def new_sink(address: Address, history: History, folder: Path) -> VisdomSink:
    """Return a dashboard of a run that exists only here."""
    return VisdomSink(
        run_info(folder),
        address,
        env=ENV,
        layout=LAYOUT,
        history=history,
        health=Health(num_threads=4),
        images=None,
        sheets=Sheets(),
        start_server=False,
    )


def print_long_run(count: int, address: Address, folder: Path) -> None:
    """Post the state of a run of so many reports again and again; print what each time costs, and the memory."""
    tracemalloc.start()
    history = History(report(number, count) for number in range(1, count + 1))
    print(f"{count:,} reports keep {tracemalloc.get_traced_memory()[0] / 1e6:.1f} MB")
    tracemalloc.stop()
    started = server.start_background(address.port, env_path=folder)
    try:
        windows = Windows(client := Client(address, ENV), run_info(folder), LAYOUT)
        client.open_environment()
        wall, own = [], []
        for _ in range(21):
            start, cpu = time.perf_counter(), time.thread_time()
            windows.show(View(history.copy(), [], "", None, None, closed=False), whole=False)
            wall.append(time.perf_counter() - start)
            own.append(time.thread_time() - cpu)
    finally:
        kill(started)
    print(
        f"posting all of it: {statistics.median(wall) * 1e3:.1f} ms, {statistics.median(own) * 1e3:.1f} ms of them "
        "processor time of this process"
    )


def report(number: int, count: int) -> Scalars:
    """Return a CycleGAN's report with losses that wander."""
    names = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")
    losses = {name: 0.3 + 0.001 * ((number * (7 + index)) % 331) for index, name in enumerate(names)}
    right = dict.fromkeys(("D_A_real", "D_A_fake", "D_B_real", "D_B_fake"), 0.5 + 0.001 * (number % 300))
    position = 200 * number / count
    return Scalars(int(position) + 1, position, 0, 100 * number, losses, 2e-4, 0.3, 0.01, right, 2e9)


if __name__ == "__main__":
    main()
