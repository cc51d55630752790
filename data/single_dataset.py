"""Inputs alone: every picture below ``<root>``."""

import numpy as np

from data.base import TranslationDataset, load_tensor
from data.batch import Sample
from data.image_folder import list_images
from data.registry import DATASETS
from options.schema import Options


@DATASETS.register("single")
class SingleDataset(TranslationDataset):
    """A without B, for translating in one direction."""

    has_target = False

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        self.input_nc = opt.net.input_nc
        hint = "give a folder of pictures as --dataroot"
        self.paths = list_images(opt.data.dataroot, opt.data.max_dataset_size, hint=hint)

    def __len__(self) -> int:
        return len(self.paths)

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load one picture; there is no direction to swap."""
        path = self.paths[index]
        return Sample(load_tensor(path, self.input_nc, self.opt, rng), None, path, "")
