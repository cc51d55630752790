"""Draw a demo data set of plain and striped creatures: seeded, no downloads, ready for training.

``unpaired`` writes trainA, trainB, testA, testB (A plain, B striped; in test, one name is one creature).
``paired`` writes train, val, test with image and label map side by side, for ``--direction BtoA``.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from tqdm import tqdm

from datasets.command import command_parser, make_folder, run_command
from datasets.demo_image import draw_image
from datasets.image import save, side_by_side
from options.errors import UserError

SMALLEST, LARGEST = 32, 1024
OWN_NAME = re.compile(r"\.?creature_\d{5}\.png(\.partial)?")
STREAMS = ("trainA", "trainB", "testA", "train", "val", "test")  # each its own creatures
FOLDERS = {"unpaired": ("trainA", "trainB", "testA", "testB"), "paired": ("train", "val", "test")}


class Order(NamedTuple):
    """One image to draw: ``stream`` and ``number`` choose the creature, the rest its form."""

    folder: str
    stream: int
    number: int
    striped: bool


def orders(kind: str, *, train: int, test: int) -> Iterator[Order]:
    """List the images of a data set; equal (stream, number) means the same creature and scene."""
    counts = {"train": train, "val": test, "test": test}
    for folder in FOLDERS[kind]:
        stream = STREAMS.index(folder.replace("testB", "testA"))
        for number in range(counts[folder.rstrip("AB")]):
            striped = number % 2 == 1 if kind == "paired" else folder.endswith("B")
            yield Order(folder, stream, number, striped)


def _clear(folders: Sequence[Path]) -> None:
    """Make empty folders; only images of an earlier demo are removed for that, and none if others are there."""
    for folder in folders:
        make_folder(folder)
    found = [path for folder in folders for path in sorted(folder.iterdir())]
    for path in found:
        if not (path.is_file() and OWN_NAME.fullmatch(path.name)):
            raise UserError(f"{path.parent} already holds other files (such as {path.name}); choose an empty folder")
    for path in found:
        path.unlink()


def _check(*, size: int, train: int, test: int, seed: int) -> None:
    if not SMALLEST <= size <= LARGEST:
        raise UserError(f"--size {size} is outside {SMALLEST} to {LARGEST}; 128 is a good choice")
    for flag, value in (("--train", train), ("--test", test), ("--seed", seed)):
        if value < 0:
            raise UserError(f"{flag} {value} is negative; give 0 or more")
    if train > 99999 or test > 99999:
        raise UserError(f"--train {train} and --test {test} must be below 100000")


def make_demo_dataset(out: Path, kind: str, *, size: int, train: int, test: int, seed: int) -> None:
    """Write the data set; equal arguments write equal bytes.

    Raises:
        UserError: for sizes and counts out of range and for folders that hold or refuse files.
    """
    _check(size=size, train=train, test=test, seed=seed)
    try:
        _clear([out / name for name in FOLDERS[kind]])
        for order in tqdm(
            list(orders(kind, train=train, test=test)), desc=f"drawing {kind}", disable=None, unit="image"
        ):
            rng = np.random.default_rng([seed, order.stream, order.number])
            drawn = draw_image(rng, size, own_colours=kind == "paired")
            image = drawn.image(striped=order.striped)
            if kind == "paired":
                image = side_by_side(image, drawn.label_map(striped=order.striped))
            save(image, out / order.folder / f"creature_{order.number + 1:05d}.png")
    except OSError as error:
        raise UserError(f"cannot write to {out} ({error.strerror}); name a folder you may write to") from error


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("make_demo_dataset", __doc__)
    parser.add_argument("out", metavar="OUT", type=Path, help="folder to write, such as datasets/creatures")
    parser.add_argument("--kind", choices=list(FOLDERS), default="unpaired", help="default: %(default)s")
    parser.add_argument("--size", type=int, default=128, help="side in pixels, default: %(default)s")
    parser.add_argument("--train", type=int, default=200, help="training images per folder, default: %(default)s")
    parser.add_argument("--test", type=int, default=20, help="test (and val) images, default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="other seeds, other creatures, default: %(default)s")
    args = parser.parse_args(argv)
    return run_command(
        parser.prog,
        lambda: make_demo_dataset(
            args.out, args.kind, size=args.size, train=args.train, test=args.test, seed=args.seed
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
