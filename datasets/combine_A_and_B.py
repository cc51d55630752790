# ruff: noqa: N999 - the file carries the name of the official script
"""Join the images of two folders side by side, A left and B right, for ``--dataset_mode aligned``.

Reads <fold_A>/<split>/x and <fold_B>/<split>/x and writes <fold_AB>/<split>/x. Nothing is resized. x may be
below further folders, and may be a .jpg in one folder and a .png in the other; then the pair becomes a .png.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from datasets.command import command_parser, run_command
from datasets.image import images_below
from datasets.joining import Pair, combine, joined_name
from datasets.pairing import pair_by_name
from datasets.parallel import usual_processes
from options.errors import UserError
from util.raster.kinds import EXTENSIONS


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
        if ab.resolve().is_relative_to(folder.resolve()):
            where = "also" if ab.resolve() == folder.resolve() else "inside"
            raise UserError(f"--fold_AB {ab} is {where} {flag}; name another folder, or images and pairs get mixed")
    pairs: list[Pair] = []
    for split in _splits(a, b, ab):
        pairs += _pairs_of_split(a / split, b / split, ab / split, named_AB=named_AB)[:limit]
    return pairs


def _splits(a: Path, b: Path, ab: Path) -> list[str]:
    """List the folders with images of either side; ``ab`` and the other side may lie among them and are none."""
    special = {path.resolve() for path in (a, b, ab)}
    names: dict[Path, set[str]] = {}
    for side in (a, b):
        inside = [path for path in side.iterdir() if path.is_dir() and not path.name.startswith(".")]
        names[side] = {path.name for path in inside if path.resolve() not in special and images_below(path)}
        if not names[side]:
            raise UserError(
                f"no images under {side}/<split>/ ({', '.join(EXTENSIONS)}); expected folders such as "
                f"{side / 'train'}, or use make_dataset_aligned for trainA and trainB"
            )
    for side, other in ((a, b), (b, a)):
        lonely = sorted(names[side] - names[other])
        if lonely:
            raise UserError(
                f"{side / lonely[0]} has no counterpart {other / lonely[0]}; both folders need the same splits"
            )
    return sorted(names[a])


def _pairs_of_split(a: Path, b: Path, ab: Path, *, named_AB: bool) -> list[Pair]:
    endings = ("_A", "_B") if named_AB else ("", "")
    partners = pair_by_name(images_below(a), images_below(b), a=a, b=b, endings=endings)
    return [Pair(a / x, b / y, ab / joined_name(x, y, ending=endings[0])) for x, y in partners]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("combine_A_and_B", __doc__)
    parser.add_argument("--fold_A", type=Path, required=True, help="folder with train/, test/ ... of A")
    parser.add_argument("--fold_B", type=Path, required=True, help="the same for B")
    parser.add_argument("--fold_AB", type=Path, required=True, help="folder to write")
    parser.add_argument("--num_imgs", type=int, default=1_000_000, help="at most so many pairs per split")
    parser.add_argument("--use_AB", action="store_true", help="x_A.png belongs to x_B.png and gives x.png")
    parser.add_argument("--no_multiprocessing", action="store_true", help="work in this process only")
    args = parser.parse_args(argv)

    def work() -> None:
        pairs = find_pairs(args.fold_A, args.fold_B, args.fold_AB, limit=args.num_imgs, named_AB=args.use_AB)
        combine(pairs, processes=1 if args.no_multiprocessing else usual_processes())
        print(f"joined {len(pairs)} pairs into {args.fold_AB}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
