# ruff: noqa: N999 - the file carries the name of the official script
"""Join the pictures of two folders side by side, A left and B right, for ``--dataset_mode aligned``.

Reads <fold_A>/<split>/x and <fold_B>/<split>/x and writes <fold_AB>/<split>/x. Nothing is resized.
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from PIL import Image
from tqdm import tqdm

from datasets.command import make_folder, run_command
from options.errors import UserError

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".ppm": "PPM",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
NAMES_SHOWN = 5


class Pair(NamedTuple):
    """Two pictures and the file they are joined into."""

    a: Path
    b: Path
    ab: Path


def _pictures(folder: Path) -> list[Path]:
    """List the pictures below a folder, relative to it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in FORMATS)
    return sorted(found)


def _swap_ending(path: Path, old: str, new: str) -> Path:
    """Turn x_A.png into x_B.png (or x.png); a name without the ending stays out: ``UserError``."""
    if not path.stem.endswith(old):
        raise UserError(f"{path} does not end in {old}{path.suffix}; rename it or leave out --use_AB")
    return path.with_name(path.stem.removesuffix(old) + new + path.suffix)


def _check_complete(split: str, wanted: Iterable[Path], present: Iterable[Path], *, folder: Path) -> None:
    missing = sorted(set(wanted) - set(present))
    if missing:
        names = ", ".join(str(path) for path in missing[:NAMES_SHOWN])
        more = f" and {len(missing) - NAMES_SHOWN} more" if len(missing) > NAMES_SHOWN else ""
        raise UserError(
            f"{len(missing)} partner(s) missing in {folder / split}: {names}{more}; add them or remove the others"
        )


def _pairs_of_split(a: Path, b: Path, ab: Path, *, split: str, named_AB: bool) -> list[Pair]:
    if not (b / split).is_dir():
        raise UserError(f"{a / split} has no counterpart {b / split}; both folders need the same splits")
    left, right = _pictures(a / split), _pictures(b / split)
    partner = {x: _swap_ending(x, "_A", "_B") if named_AB else x for x in left}
    _check_complete(split, partner.values(), right, folder=b)
    _check_complete(split, [_swap_ending(x, "_B", "_A") if named_AB else x for x in right], left, folder=a)
    joined = {x: _swap_ending(x, "_A", "") if named_AB else x for x in left}
    return [Pair(a / split / x, b / split / partner[x], ab / split / joined[x]) for x in left]


def find_pairs(a: Path, b: Path, ab: Path, *, limit: int, named_AB: bool) -> list[Pair]:
    """List what to join, at most ``limit`` pairs of each split.

    Raises:
        UserError: for missing folders, splits or partners.
    """
    if limit < 1:
        raise UserError(f"--num_imgs {limit} is below 1; leave it out to join everything")
    for flag, folder in (("--fold_A", a), ("--fold_B", b)):
        if not folder.is_dir():
            raise UserError(f"{flag} {folder} is not a folder")
        if folder.resolve() == ab.resolve():
            raise UserError(f"--fold_AB {ab} is also {flag}; name another folder, or pictures are overwritten")
    splits = sorted(path.name for path in a.iterdir() if path.is_dir() and not path.name.startswith("."))
    pairs: list[Pair] = []
    for split in splits:
        pairs += _pairs_of_split(a, b, ab, split=split, named_AB=named_AB)[:limit]
    if not pairs:
        raise UserError(f"no pictures under {a}/<split>/; expected folders such as {a / 'train'}")
    return pairs


def _open(path: Path) -> Image.Image:
    try:
        with Image.open(path) as image:
            rgb: Image.Image = image.convert("RGB")
    except OSError as error:  # Pillow's UnidentifiedImageError is one, too
        raise UserError(f"cannot read the picture {path}; replace it or remove the pair") from error
    return rgb


def join(pair: Pair) -> Path:
    """Write one joined picture and give its path."""
    left, right = _open(pair.a), _open(pair.b)
    if left.size != right.size:
        sizes = f"{left.width}x{left.height} and {right.width}x{right.height}"
        raise UserError(f"{pair.a} and {pair.b} differ in size ({sizes}); make them equal first")
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    partial = pair.ab.with_name(f".{pair.ab.name}.partial")
    kind = FORMATS[pair.ab.suffix.lower()]
    try:
        both.save(partial, format=kind, **({"quality": 95} if kind == "JPEG" else {}))
        os.replace(partial, pair.ab)
    except OSError as error:
        raise UserError(f"cannot write {pair.ab} ({error.strerror})") from error
    return pair.ab


def combine(pairs: Sequence[Pair], *, processes: int) -> None:
    """Join all pairs; the first error of any worker stops the run and is raised here."""
    for folder in sorted({pair.ab.parent for pair in pairs}):
        make_folder(folder)
    if processes == 1:
        for pair in tqdm(pairs, desc="joining", disable=None, unit="pair"):
            join(pair)
    else:
        with multiprocessing.Pool(processes) as pool:
            done = pool.imap_unordered(join, pairs, chunksize=8)
            for _ in tqdm(done, total=len(pairs), desc="joining", disable=None, unit="pair"):
                pass


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = argparse.ArgumentParser(
        prog="combine_A_and_B", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fold_A", type=Path, required=True, help="folder with train/, test/ ... of A")
    parser.add_argument("--fold_B", type=Path, required=True, help="the same for B")
    parser.add_argument("--fold_AB", type=Path, required=True, help="folder to write")
    parser.add_argument("--num_imgs", type=int, default=1_000_000, help="at most so many pairs per split")
    parser.add_argument("--use_AB", action="store_true", help="x_A.png belongs to x_B.png and gives x.png")
    parser.add_argument("--no_multiprocessing", action="store_true", help="work in this process only")
    args = parser.parse_args(argv)

    def work() -> None:
        pairs = find_pairs(args.fold_A, args.fold_B, args.fold_AB, limit=args.num_imgs, named_AB=args.use_AB)
        combine(pairs, processes=1 if args.no_multiprocessing else min(8, os.cpu_count() or 1))
        print(f"joined {len(pairs)} pairs into {args.fold_AB}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
