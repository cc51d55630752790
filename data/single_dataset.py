"""Inputs alone: every image below ``<root>``, or in the list that it names."""

import numpy as np

from data.base import TranslationDataset
from data.batch import Sample
from data.files.layout import input_files
from data.registry import DATASETS
from options.schema import Options


@DATASETS.register("single")
class SingleDataset(TranslationDataset):
    """A without B, for translating in one direction."""

    has_target = False

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        of_the_other = opt.own.model_suffix == "_B"  # a CycleGAN's generator for the way back
        self.input_side = "B" if self.swapped != of_the_other else "A"
        hint = "give a folder of images as --dataroot"
        self.use(self.input_side, input_files(opt.data, phase, self.input_side, hint=hint))

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load one image."""
        return Sample(self.image(self.input_side, index, rng), None, self.path(self.input_side, index), "")
