"""Translating files, beside the official ``test.py`` if you have it, and images in parts, beside the same at once.

python -m benchmarks.translating files RUN FOLDER --official ../pytorch-CycleGAN-and-pix2pix
python -m benchmarks.translating large RUN IMAGE --sizes 1024 2048 --max_memory 2

RUN is a folder whose first direction is measured. ``files`` starts the programs as a user does, with all that takes;
the official one gets the generator under the name that it expects. ``large`` enlarges an image to each side and
translates it in processes of their own, in turns.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks import report
from benchmarks.clock import peak_memory
from benchmarks.official import stand_ins
from benchmarks.processes import PROJECT, in_own_process, lines_of
from inference import load
from inference.large import Tiling
from inference.load import find_run, read_directions

PRECISIONS = ("fp32", "auto", "bf16", "int8")
OFFICIAL = "official test.py"
GIB = 2**30
ImageArray = npt.NDArray[np.uint8]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    args = arguments().parse_args(argv)
    if args.job:
        print(json.dumps(one(args)))
        return
    with report.one_sentence(args.benchmark):
        args.run, args.source = str(find_run(args.run).resolve()), str(Path(args.source).resolve())
        rows = files(args) if args.what == "files" else large(args)
    report.save(args, [], rows)
    print(report.table(list(rows[0]), [[cell(value) for value in row.values()] for row in rows]))


def arguments() -> argparse.ArgumentParser:
    """Return the flags of the benchmark."""
    parser = report.new_parser("translating", __doc__)
    add = parser.add_argument
    add("what", choices=["files", "large"])
    add("run", metavar="RUN")
    add("source", metavar="FOLDER|IMAGE", help="images; for large: one image")
    add("--official", type=Path, metavar="FOLDER", help="of files: folder of the official code, to measure it as well")
    add("--precisions", nargs="+", default=PRECISIONS, help="of files all, of large the first; default: all")
    add("--sizes", nargs="+", type=int, default=[1024], help="of large: sides, pixels; default: %(default)s")
    add("--tilings", nargs="+", default=["off", "exact", "blend"], help="of large, compared with the first")
    add("--max_memory", type=float, default=0, metavar="GIB", help="of large; default: half of what is free")
    add("--rounds", type=int, default=3, help="of large; default: %(default)s")
    add("--job", help=argparse.SUPPRESS)  # the file that the process that is measured leaves
    return parser


def cell(value: object) -> str:
    """Return a value of a row as the table has it."""
    return "-" if value is None else report.number(value) if isinstance(value, float) else str(value)


def files(args: argparse.Namespace) -> list[dict[str, object]]:
    """Translate a folder by each program; return the rows of the table."""
    count = sum(1 for path in Path(args.source).iterdir() if path.is_file())
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        seconds: dict[str, float] = {}
        if args.official:
            command = official_command(args, folder)
            seconds[OFFICIAL] = time_of(command, args.official, {"PYTHONPATH": stand_ins(folder)})
        for precision in args.precisions:
            words = [args.run, args.source, "-o", str(folder / precision), "--precision", precision, "--quiet"]
            seconds[precision] = time_of([sys.executable, "translate.py", *words], PROJECT)
        rows: list[dict[str, object]] = []
        for name, own in seconds.items():
            times = seconds[OFFICIAL] / own if args.official else None
            levels, psnr = compared(folder, name) if args.official and name != OFFICIAL else (None, None)
            row = {"program": name, "s": own, "images/s": count / own, "times as fast as the official": times}
            rows.append({**row, "largest difference, levels": levels, "PSNR, dB": psnr})
    return rows


def official_command(args: argparse.Namespace, folder: Path) -> list[str]:
    """Lay the generator out as the official code expects it; return what to type."""
    way = next(iter(read_directions(find_run(args.run)).values()))
    place = folder / "checkpoints" / "run"
    place.mkdir(parents=True)
    shutil.copy(way.file, place / "latest_net_G.pth")
    about = dict(way.about)
    words = ["--dataroot", args.source, "--name", "run", "--model", "test", "--netG", way.netG]
    words += ["--norm", about["norm"], "--num_test", "1000000", *(["--no_dropout"] if about["no_dropout"] else [])]
    words += ["--checkpoints_dir", str(place.parent), "--results_dir", str(folder / "results")]
    return [sys.executable, "test.py", *words]


def compared(folder: Path, precision: str) -> tuple[int, float]:
    """Return how far images are from the official ones: the largest difference of 255 levels, and the PSNR."""
    worst, squares = 0, []
    theirs = folder / "results" / "run" / "test_latest" / "images"
    for path in (folder / precision).glob("*.png"):
        ours, other = (np.asarray(Image.open(p)).astype(int) for p in (path, theirs / f"{path.stem}_fake.png"))
        worst = max(worst, int(np.abs(ours - other).max()))
        squares.append(float(((ours - other) ** 2).mean()))
    return worst, float(10 * np.log10(255**2 / np.mean(squares)))


def time_of(command: Sequence[str], where: Path, env: Mapping[str, str] | None = None) -> float:
    """Run a program and return its seconds."""
    report.say(f"{command[1]} ...")
    start = time.perf_counter()
    for _ in lines_of(command, cwd=where, env=env):
        pass
    return time.perf_counter() - start


def large(args: argparse.Namespace) -> list[dict[str, object]]:
    """Translate an image of each size in each way, in turns; return the rows of the table, of medians."""
    rows: list[dict[str, object]] = []
    for size in args.sizes:
        found: dict[str, list[dict[str, float]]] = {tiling: [] for tiling in args.tilings}
        with tempfile.TemporaryDirectory() as folder:
            results = {tiling: Path(folder, f"{tiling}.npy") for tiling in args.tilings}
            for _ in range(args.rounds):
                for tiling, figures in found.items():
                    words = ["large", args.run, args.source, "--sizes", str(size), "--tilings", tiling]
                    words += ["--max_memory", str(args.max_memory), "--precisions", args.precisions[0]]
                    figures.append(in_own_process("benchmarks.translating", [*words, "--job", str(results[tiling])]))
                    report.say(f"{size} {tiling}: {figures[-1]['seconds']:.1f} s")
            made: dict[str, ImageArray] = {tiling: np.load(path) for tiling, path in results.items()}
        for tiling, figures in found.items():
            seconds, memory = (median(each[name] for each in figures) for name in ("seconds", "memory"))
            error = float(((made[tiling].astype(float) - made[args.tilings[0]]) ** 2).mean())
            row = {"sides": size, "tiling": tiling, "us per pixel": seconds / size**2 * 1e6, "GiB": memory / GIB}
            rows.append({**row, "PSNR to the first, dB": 10 * np.log10(255**2 / error) if error else "the same"})
    return rows


def one(args: argparse.Namespace) -> dict[str, float]:
    """Translate one image once, after a small one; write it to a file, and return seconds and the peak of memory."""
    (size,), (tiling,) = args.sizes, args.tilings
    image = np.asarray(Image.open(args.source).convert("RGB").resize((size, size), Image.Resampling.BICUBIC))
    translator = load(args.run, precision=args.precisions[0])
    translator(image[:256, :256])
    translator.tiling = Tiling(tiling, int(args.max_memory * GIB))
    start = time.perf_counter()
    made = translator(image)
    seconds = time.perf_counter() - start
    np.save(args.job, made)
    return {"seconds": seconds, "memory": peak_memory()}


if __name__ == "__main__":
    main()
