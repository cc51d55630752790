"""Images of the data set that a run was trained with, to try it on."""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from data.files.layout import Files, has_two_sides, paired_files, plain_files, side_files
from data.pair import halves
from options.data import DataOptions
from options.errors import UserError
from util.raster.kinds import Raster
from util.raster.reading import read_raster

log = logging.getLogger(__name__)

PHASES = ("test", "val", "train")
KEPT = ("dataroot", "direction", "on_missing_partner")

Found = tuple[Sequence[str], Sequence[str], int | None]  # files of a side, their partners if any, and the half of each


class Example(NamedTuple):
    """An image of a data set.

    Attributes:
        path: its file.
        truth: the file of what its translation should look like; empty where there is none.
        half: 0 or 1 where the image is the left or right part of the file, and its partner the other one; None: all.
    """

    path: str
    truth: str = ""
    half: int | None = None

    def image(self) -> Raster:
        """Read it.

        Raises:
            UserError: the file cannot be read.
        """
        raster = read_raster(self.path)
        return raster if self.half is None else halves(raster, self.path)[self.half]

    def partner(self) -> Raster | None:
        """Read its partner if it has one; raises likewise."""
        if not self.truth:
            return None
        raster = read_raster(self.truth)
        return raster if self.half is None else halves(raster, self.truth)[1 - self.half]


def find_examples(options: Mapping[str, Any], direction: str, count: int) -> list[Example]:
    """Return some images of the side that a direction starts from, evenly chosen; none where the data are gone.

    Args:
        options: of the run.
        direction: ``AtoB`` or ``BtoA``.
    """
    root, finder = str(options.get("dataroot") or ""), FINDERS.get(str(options.get("dataset_mode")))
    if not (root and count and finder and os.path.exists(root)):
        return []
    for phase in PHASES:
        try:
            opt = DataOptions(**{name: options[name] for name in KEPT if name in options})
            paths, truths, half = finder(opt, phase, direction[0])
        except UserError as error:
            log.debug("no examples of %s in %s: %s", phase, root, error)
            continue
        places = _spread(len(paths), count)
        return [Example(paths[place], truths[place] if truths else "", half) for place in places]
    return []


def _spread(length: int, count: int) -> Sequence[int]:
    count = min(length, count)
    return [(2 * number + 1) * length // (2 * count) for number in range(count)]


def _of_a_side(opt: DataOptions, phase: str, side: str) -> Found:
    return _alone(side_files(opt, phase, side)), (), None


def _of_pairs(opt: DataOptions, phase: str, side: str) -> Found:
    if has_two_sides(opt, phase):
        A, B = (_alone(files) for files in paired_files(opt, phase, hint=""))
        return (A, B, None) if side == "A" else (B, A, None)
    paths = _alone(plain_files(opt, phase, hint="", columns=("ab", "a", "path")))
    return paths, paths, "AB".index(side)


def _of_colours(opt: DataOptions, phase: str, side: str) -> Found:
    paths = _alone(plain_files(opt, phase, hint=""))
    return paths, paths, None


def _alone(files: Files) -> Sequence[str]:
    if len(files.columns) > 1:
        raise UserError("images that are stacked of several files are no examples")
    return files.columns[0]


FINDERS: dict[str, Callable[[DataOptions, str, str], Found]] = {
    "unaligned": _of_a_side,
    "aligned": _of_pairs,
    "colorization": _of_colours,
}
