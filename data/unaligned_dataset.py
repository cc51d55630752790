"""Two sets without pairs: ``<root>/<phase>A`` and ``<root>/<phase>B``."""

import os

import numpy as np

from data.base import TranslationDataset
from data.batch import Sample
from data.files.layout import side_files
from data.registry import DATASETS
from options.errors import UserError
from options.schema import Options


@DATASETS.register("unaligned")
class UnalignedDataset(TranslationDataset):
    """Image A in order, image B at random (in order with ``--serial_batches``)."""

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        root = opt.data.dataroot
        hint = f"--dataset_mode unaligned expects {phase}A and {phase}B in {root}"
        if os.path.isdir(os.path.join(root, phase)):
            hint += f"; {os.path.join(root, phase)} looks like pairs: pass --dataset_mode aligned"
        elif not opt.is_train:
            hint += "; to translate a plain folder of images pass --model test"
        for side in "AB":
            self.use(side, side_files(self.opt, phase, side, hint=hint))

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load A[index] and some B, each with its own crop and flip."""
        A_count, B_count = (len(self.files[side]) for side in "AB")
        A_index = index % A_count
        B_index = index % B_count if self.opt.serial_batches else int(rng.integers(B_count))
        A_path, B_path = self.path("A", A_index), self.path("B", B_index)
        try:
            return Sample(self.image("A", A_index, rng), self.image("B", B_index, rng), A_path, B_path)
        except UserError as error:
            if self.trains:
                raise
            raise UserError(f"{error} ({A_path} and {B_path} are translated together, or not at all)") from error
