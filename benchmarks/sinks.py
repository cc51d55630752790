"""What the dashboard costs a training, with a healthy, a missing, a stalled and a dying server.

python -m benchmarks.sinks
python -m benchmarks.sinks --rounds 8 --steps 60 --print_freq 5
python -m benchmarks.sinks --long_run 200000

The same training goes on in blocks of steps, with another server in each, so that a noisy machine hits all alike. With
--long_run the state of a run of so many reports is posted instead. Flags that this program does not know go to the
training.
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
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.clock import synchronize
from benchmarks.job import random_images
from benchmarks.ours import Steps
from benchmarks.processes import free_port
from util.curves.health import Health
from util.curves.history import History
from util.dashboard import server
from util.dashboard.address import Address
from util.dashboard.client import Client
from util.dashboard.saved import Sheets
from util.dashboard.sink import VisdomSink
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View, Windows
from util.sinks.events import Scalars
from util.sinks.recorder import Recorder

SERVERS = ("off", "healthy", "missing", "stalled", "dying")
SECONDS_TO_LIVE = 3.0  # of a dying server
CONNECTING = 10  # steps before the timed ones, in which a dashboard is set up once
POSTS = 21
ENV, LAYOUT = "benchmark", Layout(1, "", 4)
Blocks = list[tuple[float, float]]  # seconds of a step, and of the longest report


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    args, flags = arguments().parse_known_args(argv)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.long_run:
            figures = long_run(args.long_run, folder)
            report.save(args, flags, [figures])
            print(report.table(list(figures), [[report.number(value) for value in figures.values()]]))
            return
        found = blocks(args, flags, folder)
    report.save(args, flags, [{"server": name, "blocks": own} for name, own in found.items()])
    titles = ("server", "s/step", "time beside none", "longest report, ms")
    print(report.table(titles, [cells(name, own, found["off"]) for name, own in found.items()]))


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark itself; others go to the training."""
    parser = report.new_parser("sinks", __doc__)
    add = parser.add_argument
    add("--size", type=int, default=128, help="side of the images, pixels; default: %(default)s")
    add("--steps", type=int, default=40, help="in a block; default: %(default)s")
    add("--servers", nargs="+", choices=SERVERS, default=SERVERS, help="off is always among them; default: all")
    add("--rounds", type=int, default=6, help="blocks with each server; default: %(default)s")
    every = "steps between two reports, images at every fourth; default: %(default)s"
    add("--print_freq", type=int, default=10, help=every)
    add("--long_run", type=int, default=0, metavar="REPORTS", help="measure posting after so many instead")
    return parser


def cells(name: str, own: Blocks, off: Blocks) -> list[str]:
    """Return a server's line of the table; ratios are taken round by round."""
    seconds = statistics.median(each for each, _ in own)
    ratios = [each / without for (each, _), (without, _) in zip(own, off, strict=True)]
    longest = max(longest for _, longest in own)
    return [name, report.number(seconds), report.spread(ratios), report.number(longest * 1e3 or None)]


def blocks(args: argparse.Namespace, flags: Sequence[str], folder: Path) -> dict[str, Blocks]:
    """Train in blocks, with each server in turns."""
    training = Steps(["--dataroot", "unused", *flags], *random_images(args.size))
    block(training, [], args)  # to warm up
    found: dict[str, Blocks] = {name: [] for name in dict.fromkeys(["off", *args.servers])}
    for number in range(1, args.rounds + 1):
        for name, own in found.items():
            with running(name, folder) as address:
                sinks = [] if name == "off" else [new_sink(address, folder)]
                own.append(block(training, sinks, args))
            report.say(f"round {number}/{args.rounds}, {name}: {own[-1][0]:.4f} s/step")
    return found


def block(training: Steps, sinks: list[Any], args: argparse.Namespace) -> tuple[float, float]:
    """Return the mean seconds of a step, its report included, and those of the longest report."""
    recorder, steps, reports = Recorder(sinks, training.world), [], [0.0]
    for number in range(1 - CONNECTING, args.steps + 1):
        start = time.perf_counter()
        out, losses, accuracies = training.step()
        recorder.step(training.progress, 1)
        if number % args.print_freq == 0:
            before = time.perf_counter()
            recorder.scalars(training.progress, losses, accuracies, learning_rate=2e-4, lap=(1.0, 0.0))
            if sinks:
                reports.append(time.perf_counter() - before)
        if number % (4 * args.print_freq) == 0:
            recorder.images(training.progress, training.model.visuals(out))
        synchronize()
        steps.append(time.perf_counter() - start)
    recorder.__exit__()
    return statistics.fmean(steps[CONNECTING:]), max(reports)


@contextlib.contextmanager
def running(name: str, folder: Path) -> Iterator[Address]:
    """Run the named kind of server while the body runs."""
    port, env_path, stop = free_port(), folder / name, threading.Event()
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


def new_sink(address: Address, folder: Path) -> VisdomSink:
    """Return a dashboard of a run that exists only here."""
    return VisdomSink(
        run_info(folder),
        address,
        env=ENV,
        layout=LAYOUT,
        history=History(),
        health=Health(num_threads=4),
        images=None,
        sheets=Sheets(),
        start_server=False,
    )


def long_run(count: int, folder: Path) -> dict[str, float]:
    """Post the state of a run of so many reports again and again; return what it keeps, and what a post takes."""
    tracemalloc.start()
    history = History(scalars(number, count) for number in range(1, count + 1))
    kept = tracemalloc.get_traced_memory()[0] / 1e6
    tracemalloc.stop()
    wall, own = [], []
    with running("healthy", folder) as address:
        windows = Windows(client := Client(address, ENV), run_info(folder), LAYOUT)
        client.open_environment()
        for _ in range(POSTS):
            start, cpu = time.perf_counter(), time.thread_time()
            windows.show(View(history.copy(), [], "", None, None, closed=False), whole=False)
            wall.append(time.perf_counter() - start)
            own.append(time.thread_time() - cpu)
    posting, computing = statistics.median(wall) * 1e3, statistics.median(own) * 1e3
    return {"reports": count, "kept, MB": kept, "posting all, ms": posting, "processor time of it, ms": computing}


def scalars(number: int, count: int) -> Scalars:
    """Return a CycleGAN's report with losses that wander."""
    names = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")
    losses = {name: 0.3 + 0.001 * ((number * (7 + index)) % 331) for index, name in enumerate(names)}
    right = dict.fromkeys(("D_A_real", "D_A_fake", "D_B_real", "D_B_fake"), 0.5 + 0.001 * (number % 300))
    position = 200 * number / count
    return Scalars(int(position) + 1, position, 0, 100 * number, losses, 2e-4, 0.3, 0.01, right, 2e9)


if __name__ == "__main__":
    main()
