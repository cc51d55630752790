"""Translating files, beside the official ``test.py`` if you have it, and images in parts, beside the same at once.

python -m benchmarks.translating files RUN FOLDER --official ../pytorch-CycleGAN-and-pix2pix
python -m benchmarks.translating large RUN IMAGE --sizes 1024 2048

RUN is a folder whose first direction is measured. ``files`` starts the programs as a user does, with all that takes;
the official one gets the generator under the name that it expects. ``large`` enlarges an image to each side and
translates it in processes of their own, in turns.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.runs import stand_ins
from inference import load
from inference.large import Tiling
from inference.load import find_run, read_directions

PRECISIONS = ("fp32", "auto", "bf16", "int8")
PROJECT = Path(__file__).parents[1]
ImageArray = npt.NDArray[np.uint8]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["files", "large", "one"])
    parser.add_argument("run")
    parser.add_argument("images", help="a folder; for large: one image")
    parser.add_argument("--official", type=Path)
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1024])
    parser.add_argument("--tilings", nargs="+", default=["off", "exact", "blend"])
    parser.add_argument("--max_memory", type=float, default=0, help="GiB")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    args.run, args.images = str(find_run(args.run).resolve()), str(Path(args.images).resolve())
    {"files": files, "large": large, "one": one}[args.what](args)


def files(args: argparse.Namespace) -> None:
    """Translate a folder by each program."""
    count = sum(1 for path in Path(args.images).iterdir() if path.is_file())
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        if args.official:
            paths = {"PYTHONPATH": stand_ins(folder)}
            seconds = timed(official_command(args, folder), args.official, os.environ | paths)
            print(f"official test.py: {seconds:.1f} s, {count / seconds:.2f} images/s", flush=True)
        for precision in args.precisions:
            out = folder / precision
            words = [args.run, args.images, "-o", str(out), "--precision", precision, "--quiet"]
            seconds = timed([sys.executable, str(PROJECT / "translate.py"), *words], PROJECT)
            told = compared(out, folder / "results" / "run" / "test_latest" / "images") if args.official else ""
            print(f"translate.py {precision}: {seconds:.1f} s, {count / seconds:.2f} images/s{told}", flush=True)


def official_command(args: argparse.Namespace, folder: Path) -> list[str]:
    """Lay the generator out as the official code expects it; return what to type."""
    way = next(iter(read_directions(find_run(args.run)).values()))
    place = folder / "checkpoints" / "run"
    place.mkdir(parents=True)
    shutil.copy(way.file, place / "latest_net_G.pth")
    about = dict(way.about)
    words = ["--dataroot", args.images, "--name", "run", "--model", "test", "--netG", way.netG]
    words += ["--norm", about["norm"], "--num_test", "1000000", *(["--no_dropout"] if about["no_dropout"] else [])]
    words += ["--checkpoints_dir", str(place.parent), "--results_dir", str(folder / "results")]
    return [sys.executable, "test.py", *words]


def compared(ours: Path, theirs: Path) -> str:
    """Say how far images are from the official ones."""
    worst, squares = 0, []
    for path in ours.glob("*.png"):
        one, other = (np.asarray(Image.open(p)).astype(int) for p in (path, theirs / f"{path.stem}_fake.png"))
        worst = max(worst, int(np.abs(one - other).max()))
        squares.append(float(((one - other) ** 2).mean()))
    mean = sum(squares) / len(squares)
    return f"; {len(squares)} compared: at most {worst} of 255 levels apart, PSNR {10 * np.log10(255**2 / mean):.1f} dB"


def timed(command: list[str], where: Path, variables: Mapping[str, str] | None = None) -> float:
    """Run a program and return its seconds."""
    start = time.perf_counter()
    subprocess.run(command, cwd=where, env=variables, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


def large(args: argparse.Namespace) -> None:
    """Translate an image of each size in each way, in turns; print medians."""
    for size in args.sizes:
        found: dict[str, list[dict[str, float]]] = {tiling: [] for tiling in args.tilings}
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(args.rounds):
                for tiling, rows in found.items():
                    words = ["one", args.run, args.images, "--sizes", str(size), "--tilings", tiling]
                    words += ["--max_memory", str(args.max_memory), "--precisions", args.precisions[0]]
                    command = [sys.executable, "-m", "benchmarks.translating", *words]
                    done = subprocess.run(
                        command,
                        cwd=folder,
                        env=os.environ | {"PYTHONPATH": str(PROJECT)},
                        capture_output=True,
                        check=True,
                    )
                    rows.append(json.loads(done.stdout.splitlines()[-1]))
            whole = _made(Path(folder), size, args.tilings[0])
            for tiling, rows in found.items():
                micro, peak = (median(row[key] for row in rows) for key in ("us_per_pixel", "peak_GiB"))
                error = ((_made(Path(folder), size, tiling).astype(float) - whole) ** 2).mean()
                near = f"{10 * np.log10(255**2 / error):.1f} dB" if error else "the same"
                print(f"{size} {tiling}: {micro:.2f} us per pixel, at most {peak:.2f} GiB, {near}", flush=True)


def one(args: argparse.Namespace) -> None:
    """Translate one image once, after a small one; write it to a file, and figures as JSON."""
    (size,), (tiling,) = args.sizes, args.tilings
    image = np.asarray(Image.open(args.images).convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
    translator = load(args.run, precision=args.precisions[0])
    translator(image[:256, :256])
    translator.tiling = Tiling(tiling, int(args.max_memory * 2**30))
    start = time.perf_counter()
    made = translator(image)
    seconds = time.perf_counter() - start
    np.save(f"{size}_{tiling}.npy", made)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # Linux counts in KiB
    print(json.dumps({"us_per_pixel": seconds / size**2 * 1e6, "peak_GiB": peak}))


def _made(folder: Path, size: int, tiling: str) -> ImageArray:
    return np.load(folder / f"{size}_{tiling}.npy")  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
