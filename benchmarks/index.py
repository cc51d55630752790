"""How long a training waits for the list of a million images, and what the list costs every loading process.

python -m benchmarks.index --files 1000000 --folder /dev/shm/index-benchmark

Empty files are made in many folders, listed without and with an index, each time by a process of its own, and read by
loading processes that ask for every path once. The same paths as a list of strings show what was saved. The folder is
removed at the end.
"""

import argparse
import json
import os
import shutil
import statistics
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from torch.utils.data import DataLoader, Dataset

from benchmarks import report
from benchmarks.processes import in_own_process
from data.files.folder import list_images
from data.files.index import SETTLED

MIB = 2**20
STARTS = {"first": "first start", "indexed": "later, by the index", "strings": "later, as strings"}
TITLES = ("start", "s", "main process, MiB", "a loading process, MiB", "after reading all, MiB", "s")


class Readers(Dataset[tuple[float, float, float]]):
    """Every item asks for all paths; returns the process's own memory before and after, and the seconds."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths

    def __getitem__(self, index: int) -> tuple[float, float, float]:
        """Touch all paths."""
        before, start = memory()["own"], time.perf_counter()
        for serial in range(len(self.paths)):
            self.paths[serial]
        return before, memory()["own"], time.perf_counter() - start


def memory() -> dict[str, float]:
    """Return this process's memory in MiB: resident, its share of what is shared, and what is its own alone."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    values = {name.rstrip(":"): int(amount) * 1024 / MIB for name, amount, *_ in map(str.split, lines)}
    return {**values, "own": values["Private_Clean"] + values["Private_Dirty"]}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    args = arguments().parse_args(argv)
    folder = Path(args.folder).resolve()
    if args.job:
        print(json.dumps(listing(folder / "images", args.workers, args.job)))
        return
    os.makedirs(folder)  # must be new: it is removed at the end
    try:
        make(folder / "images", args.files, args.folders)
        time.sleep(SETTLED / 1e9 + 0.1)
        words, cache = ["--folder", str(folder), "--workers", str(args.workers)], {"XDG_CACHE_HOME": f"{folder}/cache"}
        with report.one_sentence(args.benchmark):
            found = {kind: in_own_process("benchmarks.index", [*words, "--job", kind], env=cache) for kind in STARTS}
    finally:
        shutil.rmtree(folder)
    report.save(args, [], [{"start": kind, **figures} for kind, figures in found.items()])
    lines = [[STARTS[kind], *map(report.number, figures.values())] for kind, figures in found.items()]
    print(report.table(TITLES, lines))


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark."""
    parser = report.new_parser("index", __doc__)
    add = parser.add_argument
    add("--folder", required=True, help="a folder to make, fill and remove; best in memory")
    add("--files", type=int, default=1_000_000, help="default: %(default)s")
    add("--folders", type=int, default=1_000, help="default: %(default)s")
    add("--workers", type=int, default=4, help="loading processes; default: %(default)s")
    add("--job", choices=STARTS, help=argparse.SUPPRESS)  # what the processes are told that are measured
    return parser


def make(images: Path, files: int, folders: int) -> None:
    """Make empty files with names as data sets have them."""
    for number in range(folders):
        (images / f"class_{number:05d}").mkdir(parents=True)
    for number in range(files):
        os.close(os.open(images / f"class_{number % folders:05d}" / f"image_{number:08d}.jpg", os.O_CREAT))


def listing(images: Path, workers: int, kind: str) -> dict[str, float]:
    """List the images as a training does, then let loading processes read all paths; return medians over these."""
    before, start = memory()["Rss"], time.perf_counter()
    paths: Sequence[str] = list_images(images, float("inf"), hint="make some")
    seconds = time.perf_counter() - start
    if kind == "strings":
        paths = list(paths)
    figures = {"seconds": seconds, "main": memory()["Rss"] - before}
    warnings.filterwarnings("ignore", "This DataLoader will create")  # more than cores: time is not the point
    readers = DataLoader(
        Readers(paths), sampler=range(workers), batch_size=None, num_workers=workers, multiprocessing_context="fork"
    )
    own, then, reading = (statistics.median(found) for found in zip(*readers, strict=True))
    return {**figures, "own": own, "own_then": then, "reading": reading}


if __name__ == "__main__":
    main()
