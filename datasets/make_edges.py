"""Make pairs for "edges to photo" from photos alone: A is their edges (Canny 1986), B the photos.

Writes <out>/<split>A and <out>/<split>B, or <out>/<split> with --side_by_side. The edges of the published edges2shoes
are black lines on white, too, but come from a trained edge detector. Needs scikit-image.
"""

import importlib.util
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
from PIL import Image

from datasets.command import command_parser, run_command
from datasets.image import images_below, measure, open_rgb, save, side_by_side
from datasets.parallel import for_each, usual_processes
from options.errors import UserError


class Job(NamedTuple):
    """A photo and the files it becomes; ``edges`` holds both, side by side, where ``photo`` is None."""

    source: Path
    edges: Path
    photo: Path | None


class Pen(NamedTuple):
    """How edges are found and drawn.

    ``sigma`` is in pixels. A line starts where the gray value (0 to 1) changes by more than ``high`` and goes on
    while it changes by more than ``low``.
    """

    sigma: float
    low: float
    high: float
    black_on_white: bool


def find_photos(photos: Path, out: Path, *, split: str, joined: bool) -> list[Job]:
    """List what to do; everything becomes PNG, so that partners have equal names.

    Raises:
        UserError: there are no photos, two would get one name, or the folders to write exist.
    """
    if not photos.is_dir():
        raise UserError(f"{photos} is not a folder; name one with photos")
    folders = [out / split] if joined else [out / f"{split}A", out / f"{split}B"]
    for folder in folders:
        if folder.exists() and any(folder.iterdir()):
            raise UserError(f"{folder} is not empty; remove it, or choose another --out or --split")
    jobs: dict[Path, Job] = {}
    for name in images_below(photos):
        png = name.with_suffix(".png")
        if png in jobs:
            raise UserError(f"{jobs[png].source} and {photos / name} would get one name; rename one of them")
        jobs[png] = Job(photos / name, folders[0] / png, None if joined else folders[1] / png)
    if not jobs:
        raise UserError(f"there are no images in {photos}")
    return list(jobs.values())


def draw_edges(photo: Image.Image, pen: Pen) -> Image.Image:
    """Give the edges of a photo as a gray image of two levels."""
    from skimage.feature import canny

    gray = np.asarray(photo.convert("L"), dtype=np.float64) / 255
    edges = canny(gray, sigma=pen.sigma, low_threshold=pen.low, high_threshold=pen.high)  # type: ignore[no-untyped-call]
    lines = edges != pen.black_on_white
    return Image.fromarray(lines.astype(np.uint8) * 255)


def write(job: Job, *, pen: Pen) -> None:
    """Make the pair of one photo."""
    photo = open_rgb(job.source)
    edges = draw_edges(photo, pen)
    if job.photo is None:
        save(side_by_side(edges, photo), job.edges)
    else:
        save(edges, job.edges)
        save(photo, job.photo)


def _check(pen: Pen) -> None:
    if importlib.util.find_spec("skimage") is None:
        raise UserError("make_edges needs scikit-image; type: pip install scikit-image")
    if pen.sigma <= 0:
        raise UserError(f"--sigma {pen.sigma} is not above 0; give the blur in pixels")
    if not 0 <= pen.low <= pen.high <= 1:
        raise UserError(f"--low {pen.low} and --high {pen.high} must be in 0 to 1, low not above high")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code."""
    parser = command_parser("make_edges", __doc__)
    parser.add_argument("photos", metavar="PHOTOS", type=Path, help="folder with photos, of any size")
    parser.add_argument("--out", type=Path, required=True, help="folder to write, such as datasets/edges2mine")
    parser.add_argument("--split", default="train", help="train, val or test; default: %(default)s")
    parser.add_argument("--side_by_side", action="store_true", help="one file for a pair, edges left")
    parser.add_argument("--sigma", type=float, default=2.0, help="blur first, in pixels; default: %(default)s")
    parser.add_argument("--low", type=float, default=0.1, help="weakest edge, 0 to 1; default: %(default)s")
    parser.add_argument("--high", type=float, default=0.2, help="an edge begins at, 0 to 1; default: %(default)s")
    parser.add_argument("--line", choices=["black", "white"], default="black", help="default: %(default)s")
    parser.add_argument("--processes", type=int, default=usual_processes(), help="default here: %(default)s")
    args = parser.parse_args(argv)

    def work() -> None:
        pen = Pen(args.sigma, args.low, args.high, args.line == "black")
        _check(pen)
        jobs = find_photos(args.photos, args.out, split=args.split, joined=args.side_by_side)
        sources = [job.source for job in jobs]  # all are looked at before anything is written
        for_each(measure, sources, processes=args.processes, what="checking", unit="photo")
        for_each(partial(write, pen=pen), jobs, processes=args.processes, what="drawing edges", unit="photo")
        print(f"drew the edges of {len(jobs)} photos into {jobs[0].edges.parent}")

    return run_command(parser.prog, work)


if __name__ == "__main__":
    sys.exit(main())
