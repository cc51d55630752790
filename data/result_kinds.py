"""What sort of file each translated image should become: the sort that its domain consists of."""

from typing import Any

import numpy as np

from data.base import TranslationDataset
from data.batch import Batch
from options.data import Range
from util.raster.kinds import Header
from util.raster.values import BYTE_RANGE
from util.results import FileKind

WORD_RANGE = (0.0, 65535.0)


def kinds_of(batch: Batch, dataset: TranslationDataset) -> list[dict[str, FileKind]]:
    """Return for each sample the kinds of "A", the input, and "B", the target; where that has no file, as the input.

    Where the run was given a ``--value_range`` for the target, the results lie in it, too.
    """
    limits = [dataset.opt.range_of(side) for side in (dataset.input_side, dataset.target_side)]
    kinds = []
    for own, *others in batch.headers:
        target = FileKind(others[0], others[0].dtype, limits[1]) if others else like(own, *limits)
        kinds.append({"A": FileKind(own, own.dtype, limits[0]), "B": target})
    return kinds


def like(header: Header, own: Range | None, limits: Range | None) -> FileKind:
    """Return the kind of an image that has no file to resemble but its input's.

    Args:
        own: the input's range; where the image has another, its values are of another sort, too.
    """
    types: dict[Range | None, Any] = {BYTE_RANGE: np.uint8, WORD_RANGE: np.uint16, own: header.dtype}
    return FileKind(header, np.dtype(types.get(limits, np.float32)), limits)
