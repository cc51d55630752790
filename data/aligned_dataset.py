"""Pairs: side by side in one image, or two images of the same name in two folders."""

import os

import numpy as np
from torch import Tensor

from data.base import TranslationDataset
from data.batch import Sample
from data.files.layout import has_two_sides, paired_files, plain_files
from data.pair import cut_alike, halves
from data.registry import DATASETS
from options.schema import Options
from util.raster.reading import read_raster


@DATASETS.register("aligned")
class AlignedDataset(TranslationDataset):
    """``<root>/<phase>`` with A left and B right, or else ``<root>/<phase>A`` and ``<root>/<phase>B``.

    Both images of a pair get the same crop and flip.
    """

    paired = True

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        folder = os.path.join(opt.data.dataroot, phase)
        hint = (
            f"--dataset_mode aligned expects images with A left and B right in {folder}, or images of the same "
            f"names in {folder}A and {folder}B"
        )
        self.side_by_side = not has_two_sides(self.opt, phase)
        if self.side_by_side:
            A = B = plain_files(self.opt, phase, hint=hint, columns=("ab", "a", "path"))
        else:
            A, B = paired_files(self.opt, phase, hint=hint)
        self.use("A", A)
        self.use("B", B)

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load both images and cut them alike."""
        A, B = self._halves(index) if self.side_by_side else (self.scaled("A", index), self.scaled("B", index))
        return cut_alike(self, index, A, B, rng)

    def _halves(self, index: int) -> tuple[Tensor, Tensor]:
        """Read an image once and resize both halves, or take them from the cache."""
        A, B = (self.cached(side, index) for side in "AB")
        if A is not None and B is not None:
            return A, B
        path = self.path("A", index)
        left, right = halves(read_raster(path), path)
        return self.keep("A", index, [left]), self.keep("B", index, [right])
