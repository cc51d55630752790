"""Inputs alone: every picture below ``<root>``, or in the list that it names."""

import numpy as np

from data.base import TranslationDataset
from data.batch import Sample
from data.files.layout import whole_files
from data.registry import DATASETS
from options.schema import Options


@DATASETS.register("single")
class SingleDataset(TranslationDataset):
    """A without B, for translating in one direction."""

    has_target = False

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        self.input = "B" if self.swapped else "A"  # as the run calls it that these are inputs for
        self.use(self.input, whole_files(opt.data, opt.data.dataroot, hint="give a folder of pictures as --dataroot"))

    def __len__(self) -> int:
        return len(self.files[self.input])

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load one picture."""
        return Sample(self.image(self.input, index, rng), None, self.path(self.input, index), "")
