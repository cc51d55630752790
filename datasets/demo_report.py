"""Say in five lines what the demo has learned: python -m datasets.demo_report --name creatures.

The held-out creatures exist plain and striped, so each translation can be held against the truth, on
the pixels where the two differ and on all others, and against doing nothing.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

if __package__ in (None, ""):  # started by path: the repository is not on the import path yet
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np
import numpy.typing as npt
from PIL import Image

from datasets.command import command_parser, run_command
from options.errors import UserError

CHANGED = 24  # levels (of 255) from which on a pixel counts as part of a stripe


class Errors(NamedTuple):
    """Mean absolute errors over all held-out images, in levels of 0-255."""

    stripes_on: float  # where stripes belong: the translated plain creature against the striped one
    stripes_off: float  # there: the translated striped creature against the plain one
    nothing: float  # there: the two truths against each other
    elsewhere: float  # all other pixels, mean of both directions


def main(argv: Sequence[str] | None = None) -> int:
    """Read the results of ``test.py`` and print the five lines."""
    parser = command_parser("demo_report", __doc__)
    parser.add_argument("--name", default="creatures", help="name of the run")
    parser.add_argument("--results_dir", default="results")
    parser.add_argument("--checkpoints_dir", default="checkpoints")
    args = parser.parse_args(argv)
    results = Path(args.results_dir, args.name, "test_latest")
    run = Path(args.checkpoints_dir, args.name)
    return run_command(parser.prog, lambda: report(results, run, name=args.name))


def report(results: Path, run: Path, *, name: str) -> None:
    """Print what was learned, where to look, and what to try next."""
    errors = measure(results / "images")
    print(
        f"\nLearned   error where stripes belong, in levels of 0-255: putting them on {errors.stripes_on:.0f}, "
        f"taking them off {errors.stripes_off:.0f}; doing nothing {errors.nothing:.0f}\n"
        f"          everywhere else the images moved by {errors.elsewhere:.0f} levels (doing nothing: 0); "
        "held-out creatures, never seen in training\n"
        f"Look at   {results / 'index.html'} (held-out) and {run / 'web' / 'index.html'} (training)\n"
        f"Curves    http://localhost:8097/env/{name} (while its server runs) and on the training page\n"
        f"Try next  .venv/bin/python train.py --name {name} --continue_train --n_epochs_decay 26   (three times longer)"
    )


def measure(images: Path) -> Errors:
    """Compare translations with the truth.

    Args:
        images: folder with ``<name>_real_A.png``, ``_fake_B``, ``_real_B`` and ``_fake_A``, where real_A
            and real_B of one name are the same creature.

    Raises:
        UserError: there are no such images.
    """
    names = sorted(path.name.removesuffix("_real_A.png") for path in images.glob("*_real_A.png"))
    if not names:
        raise UserError(f"there are no results in {images}; run make demo, or test.py first")
    rows = [_one(*(_levels(images / f"{name}_{label}.png") for label in LABELS)) for name in names]
    return Errors(*(float(value) for value in np.mean(rows, axis=0)))


LABELS = ("real_A", "fake_B", "real_B", "fake_A")
Levels = npt.NDArray[np.float64]  # H x W x 3 in [0, 255]


def _levels(path: Path) -> Levels:
    try:
        return np.asarray(Image.open(path).convert("RGB"), dtype=np.float64)
    except OSError as error:
        raise UserError(f"cannot read {path} ({error}); run test.py again") from error


def _one(plain: Levels, put_on: Levels, striped: Levels, taken_off: Levels) -> Errors:
    stripes = np.abs(plain - striped).max(axis=2) > CHANGED
    on, off, nothing = (np.abs(a - b) for a, b in ((put_on, striped), (taken_off, plain), (plain, striped)))
    elsewhere = (on[~stripes].mean() + off[~stripes].mean()) / 2
    return Errors(on[stripes].mean(), off[stripes].mean(), nothing[stripes].mean(), elsewhere)


if __name__ == "__main__":
    raise SystemExit(main())
