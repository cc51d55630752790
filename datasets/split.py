"""Split images into train, val and test: seeded, whole or not at all, and nothing is overwritten.

One folder becomes <out>/train, val, test. Two folders of pairs (equal names, x.jpg also with x.png) become
<out>/trainA, trainB, valA ..., partners in the same split. --unpaired splits the two each for itself. Sub-folders
stay. Which image goes where depends on its name, the seed and the other names, not on the machine.
"""

import argparse
import errno
import hashlib
import os
import shutil
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tqdm import tqdm

from datasets.command import command_parser, make_folder, run_command
from datasets.image import images_below
from datasets.pairing import pair_by_name, stem_of
from options.errors import UserError

SPLITS = ("train", "val", "test")
UNFINISHED = ".split-unfinished"
LINKS: dict[str, Callable[[Path, Path], object]] = {
    "copy": shutil.copyfile,
    "symlink": lambda source, target: target.symlink_to(source.resolve()),
    "hardlink": lambda source, target: os.link(source.resolve(), target),
}


class ImageFile(NamedTuple):
    """An image by its name below ``folder``; ``side`` is A, B or empty."""

    folder: Path
    side: str
    name: Path


Group = tuple[ImageFile, ...]  # an image, or the two of a pair: what must stay together


def find(folders: Sequence[Path], *, paired: bool) -> list[list[Group]]:
    """List the images in pools, each of which is split for itself.

    Raises:
        UserError: for missing folders, images and partners.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder; name one with images")
    names = [images_below(folder) for folder in folders]
    for folder, found in zip(folders, names, strict=True):
        if not found:
            raise UserError(f"there are no images in {folder}")
    if paired:
        a, b = folders
        return [[(ImageFile(a, "A", x), ImageFile(b, "B", y)) for x, y in pair_by_name(*names, a=a, b=b)]]
    sides = "AB" if len(folders) == 2 else [""]
    return [
        [(ImageFile(folder, side, name),) for name in found]
        for folder, side, found in zip(folders, sides, names, strict=True)
    ]


def deal(pool: Sequence[Group], fractions: Sequence[float], *, seed: int) -> Iterator[tuple[str, Group]]:
    """Give every group its split, in the order of a hash of seed and name.

    Raises:
        UserError: a split with a fraction above 0 would get nothing.
    """

    def shuffled(group: Group) -> tuple[bytes, Path]:
        name = group[0].name
        return hashlib.sha256(f"{seed}/{stem_of(name)}".encode("utf-8", "surrogateescape")).digest(), name

    counts = [round(len(pool) * fraction) for fraction in fractions]
    counts[0] = len(pool) - sum(counts[1:])
    for split, fraction, count in zip(SPLITS, fractions, counts, strict=True):
        if fraction > 0 and count < 1:
            given = " ".join(str(value) for value in fractions)
            raise UserError(f"--fractions {given} leaves nothing for {split} of {len(pool)}; raise it or make it 0")
    order = [split for split, count in zip(SPLITS, counts, strict=True) for _ in range(count)]
    yield from zip(order, sorted(pool, key=shuffled), strict=True)


def split(
    folders: Sequence[Path], out: Path, *, fractions: Sequence[float], seed: int, paired: bool, link: str
) -> dict[str, int]:
    """Write the split folders below ``out`` and give their numbers of images.

    Raises:
        UserError: for everything that stops it; then nothing was written.
    """
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise UserError(f"--out {out} is inside {folder}, whose images are split; choose another folder")
    dealt = [item for pool in find(folders, paired=paired) for item in deal(pool, fractions, seed=seed)]
    placed = [(image, Path(name + image.side, image.name)) for name, group in dealt for image in group]
    counts = Counter(target.parts[0] for _, target in placed)
    for name in counts:
        if (out / name).exists():
            raise UserError(f"{out / name} exists already; remove it or choose another --out")
    make_folder(out)
    work = _work_folder(out)
    try:
        for image, target in tqdm(placed, desc=f"{link}", disable=None, unit="image"):
            (work / target).parent.mkdir(parents=True, exist_ok=True)
            LINKS[link](image.folder / image.name, work / target)
        _move_all(list(counts), work, out)
    except OSError as error:
        raise UserError(_reason(error, out, link)) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return counts


def _move_all(names: Sequence[str], work: Path, out: Path) -> None:
    """Move the folders, or none of them."""
    moved: list[str] = []
    try:
        for name in names:
            os.rename(work / name, out / name)
            moved.append(name)
    except OSError:
        for name in moved:
            os.rename(out / name, work / name)
        raise


def _work_folder(out: Path) -> Path:
    work = out / UNFINISHED
    try:
        work.mkdir()
    except FileExistsError:
        raise UserError(f"{work} is left of a split that was killed, or of one that runs; remove it") from None
    except OSError as error:
        raise UserError(f"cannot write to {out} ({error.strerror}); choose another --out") from error
    return work


def _reason(error: OSError, out: Path, link: str) -> str:
    if link == "hardlink" and error.errno == errno.EXDEV:
        return f"the images and {out} are on different disks, so they cannot be hard links; use --link symlink"
    return f"cannot {link} to {out} ({error.strerror or error}); nothing is left there"


def _check(args: argparse.Namespace) -> None:
    if len(args.folders) > 2:
        raise UserError(f"{len(args.folders)} folders are given; give one, or two for A and B")
    if args.unpaired and len(args.folders) != 2:
        raise UserError("--unpaired needs two folders, A and B")
    given = " ".join(str(value) for value in args.fractions)
    if not all(0 <= value <= 1 for value in args.fractions) or abs(sum(args.fractions) - 1) > 1e-6:
        raise UserError(f"--fractions {given} must be three numbers from 0 to 1 that sum to 1, such as 0.8 0.1 0.1")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("split", __doc__)
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help="images; or two folders, A and B")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, such as datasets/mine")
    parser.add_argument(
        "--fractions", type=float, nargs=3, default=[0.8, 0.1, 0.1], metavar=("TRAIN", "VAL", "TEST"), help="sum to 1"
    )
    parser.add_argument("--seed", type=int, default=0, help="other seeds, other splits; default: %(default)s")
    parser.add_argument("--unpaired", action="store_true", help="A and B are no pairs (CycleGAN)")
    parser.add_argument("--link", choices=list(LINKS), default="copy", help="default: %(default)s")
    args = parser.parse_args(argv)

    def work() -> None:
        _check(args)
        paired = len(args.folders) == 2 and not args.unpaired
        counts = split(args.folders, args.out, fractions=args.fractions, seed=args.seed, paired=paired, link=args.link)
        print(f"{args.out} is ready; images: {', '.join(f'{name} {count}' for name, count in counts.items())}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
