"""Two sets without pairs: ``<root>/<phase>A`` and ``<root>/<phase>B``."""

import os

import numpy as np

from data.base import TranslationDataset, load_tensor
from data.batch import Sample
from data.image_folder import list_images
from data.registry import DATASETS
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
            hint += "; to translate a plain folder of pictures pass --model test"
        self.A_paths, self.B_paths = (
            list_images(os.path.join(root, phase + side), opt.data.max_dataset_size, hint=hint) for side in "AB"
        )

    def __len__(self) -> int:
        return max(len(self.A_paths), len(self.B_paths))

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load A[index] and some B, each with its own crop and flip."""
        A_path = self.A_paths[index % len(self.A_paths)]
        serial = index % len(self.B_paths)
        B_path = self.B_paths[serial if self.opt.serial_batches else int(rng.integers(len(self.B_paths)))]
        A = load_tensor(A_path, self.A_channels, self.opt, rng)
        B = load_tensor(B_path, self.B_channels, self.opt, rng)
        return Sample(A, B, A_path, B_path)
