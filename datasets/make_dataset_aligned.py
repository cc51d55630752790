"""Join trainA with trainB, testA with testB (and valA with valB) side by side into train, test and val.

Images are paired by name, x.jpg also with x.png, x_A.png also with x_B.png. Where no name of A is in B, they are
paired in sorted order. Training does not need this: --dataset_mode aligned reads trainA and trainB as they are.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from datasets.command import command_parser, run_command
from datasets.image import images_below
from datasets.joining import Pair, combine, joined_name
from datasets.pairing import pair_by_name, stem_of
from datasets.parallel import usual_processes
from options.errors import UserError

SPLITS = ("train", "val", "test")
OFFICIAL_ENDINGS = ("_A", "_B")  # of prepare_cityscapes_dataset


def find_pairs(root: Path) -> list[Pair]:
    """List what to join in all splits.

    Raises:
        UserError: for missing folders and partners, and for folders with other images where pairs belong.
    """
    if not root.is_dir():
        raise UserError(f"--dataset-path {root} is not a folder")
    splits = [split for split in SPLITS if (root / f"{split}A").is_dir() or (root / f"{split}B").is_dir()]
    if not splits:
        raise UserError(f"there is no trainA or testA in {root}; name the folder that holds trainA and trainB")
    pairs = [pair for split in splits for pair in _pairs_of_split(root, split)]
    if not pairs:
        raise UserError(f"there are no images in {', '.join(f'{root / split}A' for split in splits)}")
    return pairs


def _pairs_of_split(root: Path, split: str) -> list[Pair]:
    a, b, ab = root / f"{split}A", root / f"{split}B", root / split
    for folder, other in ((a, b), (b, a)):
        if not folder.is_dir():
            raise UserError(f"{other} has no counterpart {folder}; add it or remove the other")
    left, right = images_below(a), images_below(b)
    if len(left) != len(right):
        raise UserError(f"{a} holds {len(left)} images and {b} holds {len(right)}; every image needs a partner")
    sides = zip((left, right), OFFICIAL_ENDINGS, strict=True)
    named = all(path.stem.endswith(ending) for paths, ending in sides for path in paths)
    endings = OFFICIAL_ENDINGS if named else ("", "")
    if {stem_of(x, endings[0]) for x in left} & {stem_of(x, endings[1]) for x in right}:
        partners = pair_by_name(left, right, a=a, b=b, endings=endings)
    else:
        partners = list(zip(left, right, strict=True))
        if partners:
            first = f"{a / left[0]} with {b / right[0]}"
            print(
                f"warning: the names in {a} and {b} differ; they are paired in sorted order, {first}", file=sys.stderr
            )
    pairs = [Pair(a / x, b / y, ab / joined_name(x, y, ending=endings[0])) for x, y in partners]
    _refuse_mixture(ab, pairs)
    return pairs


def _refuse_mixture(folder: Path, pairs: Sequence[Pair]) -> None:
    """Let a second run replace the pairs of the first, but nothing else be among them."""
    present = {folder / name for name in images_below(folder)} if folder.is_dir() else set()
    foreign = sorted(present - {pair.ab for pair in pairs})
    if foreign:
        raise UserError(f"{folder} already holds other images (such as {foreign[0].name}); move them away first")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("make_dataset_aligned", __doc__)
    parser.add_argument(
        "--dataset-path", "--dataset_path", type=Path, required=True, help="folder that holds trainA, trainB ..."
    )
    parser.add_argument("--processes", type=int, default=usual_processes(), help="default here: %(default)s")
    args = parser.parse_args(argv)

    def work() -> None:
        pairs = find_pairs(args.dataset_path)
        combine(pairs, processes=args.processes)
        print(f"joined {len(pairs)} pairs in {args.dataset_path}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
