"""Make the 256x256 pairs and collections of the official Cityscapes set; photos are A, label colours B.

Get gtFine_trainvaltest.zip and leftImg8bit_trainvaltest.zip from https://www.cityscapes-dataset.com and unzip them.
Writes <output_dir>/train, trainA, trainB from their train, and test, testA, testB from their val.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from PIL import Image

from datasets.command import command_parser, run_command
from datasets.image import open_rgb, save, side_by_side
from datasets.pairing import pair_by_name
from datasets.parallel import for_each, usual_processes
from options.errors import UserError

PHASES = {"train": "train", "val": "test"}  # theirs: ours; the labels of their test are secret
PHOTO, LABELS = "_leftImg8bit", "_gtFine_color"
SIDE = 256
JPEG = {"quality": 100, "subsampling": 0}


class Frame(NamedTuple):
    """A photo, its labels, and the folder (without A or B) and number they get."""

    photo: Path
    labels: Path
    folder: Path
    number: int


def find_frames(gtFine_dir: Path, leftImg8bit_dir: Path, output_dir: Path) -> list[Frame]:
    """List all frames in the official order.

    Raises:
        UserError: for missing images and partners.
    """
    frames: list[Frame] = []
    for theirs, ours in PHASES.items():
        labels = _find(gtFine_dir, theirs, LABELS, flag="--gtFine_dir")
        photos = _find(leftImg8bit_dir, theirs, PHOTO, flag="--leftImg8bit_dir")
        a, b = leftImg8bit_dir / theirs, gtFine_dir / theirs
        pairs = pair_by_name(photos, labels, a=a, b=b, endings=(PHOTO, LABELS))
        frames += [Frame(a / x, b / y, output_dir / ours, number) for number, (x, y) in enumerate(pairs)]
    return frames


def _find(root: Path, phase: str, ending: str, *, flag: str) -> list[Path]:
    found = sorted(path.relative_to(root / phase) for path in (root / phase).glob(f"*/*{ending}.png"))
    if not found:
        raise UserError(
            f"{flag} {root} holds no {phase}/<city>/*{ending}.png; name the folder in which train and val lie"
        )
    return found


def write(frame: Frame) -> None:
    """Write one frame as a pair and as two images."""
    size, bicubic = (SIDE, SIDE), Image.Resampling.BICUBIC  # for labels too, as in the official set
    photo, labels = (open_rgb(path).resize(size, bicubic) for path in (frame.photo, frame.labels))
    folder, number = frame.folder, frame.number
    save(side_by_side(photo, labels), folder / f"{number}.jpg", **JPEG)
    save(photo, folder.with_name(f"{folder.name}A") / f"{number}_A.jpg", **JPEG)
    save(labels, folder.with_name(f"{folder.name}B") / f"{number}_B.jpg", **JPEG)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("prepare_cityscapes_dataset", __doc__)
    parser.add_argument("--gtFine_dir", type=Path, required=True, help="folder gtFine, with train and val")
    parser.add_argument("--leftImg8bit_dir", type=Path, required=True, help="folder leftImg8bit, with train and val")
    parser.add_argument("--output_dir", type=Path, required=True, help="folder to write, such as datasets/cityscapes")
    parser.add_argument("--processes", type=int, default=usual_processes(), help="default here: %(default)s")
    args = parser.parse_args(argv)

    def work() -> None:
        frames = find_frames(args.gtFine_dir, args.leftImg8bit_dir, args.output_dir)
        for_each(write, frames, processes=args.processes, what="shrinking", unit="frame")
        counts = [f"{ours} {sum(frame.folder.name == ours for frame in frames)}" for ours in PHASES.values()]
        print(f"{args.output_dir} is ready; pairs: {', '.join(counts)}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
