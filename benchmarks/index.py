"""How long a training waits for the list of a million images, and what the list costs every loading process.

python -m benchmarks.index --files 1000000 --folder /dev/shm/index-benchmark

Empty files are made in many folders, listed without and with an index, each time by a process of its own, and read by
loading processes that ask for every path once. The same paths as a list of strings show what was saved. The folder is
removed at the end.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

from torch.utils.data import DataLoader, Dataset

from data.files.folder import list_images
from data.files.index import SETTLED

MIB = 2**20


class Readers(Dataset[str]):
    """Every item asks for all paths, and says what that did to the process."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths

    def __getitem__(self, index: int) -> str:
        """Touch all paths."""
        before = memory()
        start = time.perf_counter()
        letters = sum(len(self.paths[serial]) for serial in range(len(self.paths)))
        seconds, after = time.perf_counter() - start, memory()
        return (
            f"  loading process {index}: own memory {before['own']:.0f} -> {after['own']:.0f} MiB, its share "
            f"{before['Pss']:.0f} -> {after['Pss']:.0f} MiB; {letters} letters in {seconds:.1f} s"
        )


def memory() -> dict[str, float]:
    """Return this process's memory in MiB: resident, its share of what is shared, and what is its own alone."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    values = {name.rstrip(":"): int(amount) * 1024 / MIB for name, amount, *_ in map(str.split, lines)}
    return {**values, "own": values["Private_Clean"] + values["Private_Dirty"]}


def main() -> None:
    """Measure and print."""
    args = arguments().parse_args()
    images = Path(args.folder) / "images"
    if args.listing:
        listing(images, args.workers, as_strings=args.listing == "strings")
        return
    os.makedirs(args.folder)  # must be new: it is removed at the end
    try:
        make(images, args.files, args.folders)
        time.sleep(SETTLED / 1e9 + 0.1)
        for title, kind in (("first start", "first"), ("with the index", "paths"), ("as strings", "strings")):
            print(title, flush=True)
            command = [sys.executable, "-m", "benchmarks.index", "--folder", args.folder, "--listing", kind]
            command += ["--workers", str(0 if kind == "first" else args.workers)]
            subprocess.run(command, check=True, env={**os.environ, "XDG_CACHE_HOME": f"{args.folder}/cache"})
    finally:
        shutil.rmtree(args.folder)


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", required=True, help="a folder to make, fill and remove; best in memory")
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--folders", type=int, default=1_000)
    parser.add_argument("--workers", type=int, default=4, help="loading processes")
    parser.add_argument("--listing", help=argparse.SUPPRESS)  # what the processes are told that are measured
    return parser


def make(images: Path, files: int, folders: int) -> None:
    """Make empty files with names as data sets have them."""
    for number in range(folders):
        (images / f"class_{number:05d}").mkdir(parents=True)
    for number in range(files):
        os.close(os.open(images / f"class_{number % folders:05d}" / f"image_{number:08d}.jpg", os.O_CREAT))


def listing(images: Path, workers: int, *, as_strings: bool) -> None:
    """List the images as a training does, then let loading processes read all paths."""
    before = memory()
    start = time.perf_counter()
    paths: Sequence[str] = list_images(images, float("inf"), hint="make some")
    seconds = time.perf_counter() - start
    if as_strings:
        paths = list(paths)
    after = memory()
    print(
        f"  {len(paths)} paths in {seconds:.2f} s; memory (RSS) of the main process "
        f"{before['Rss']:.0f} -> {after['Rss']:.0f} MiB"
    )
    if workers:
        warnings.filterwarnings("ignore", "This DataLoader will create")  # more than cores: time is not the point
        readers = DataLoader(
            Readers(paths), sampler=range(workers), batch_size=None, num_workers=workers, multiprocessing_context="fork"
        )
        for line in readers:
            print(line)
        print(f"  main process afterwards: RSS {memory()['Rss']:.0f} MiB, its share {memory()['Pss']:.0f} MiB")


if __name__ == "__main__":
    main()
