"""Pairs side by side: one picture in ``<root>/<phase>`` is A (left half) and B (right half)."""

import os

import numpy as np

from data.base import TranslationDataset, open_rgb
from data.batch import Sample
from data.image_folder import list_images
from data.registry import DATASETS
from data.transforms import draw_geometry, to_tensor
from options.errors import UserError
from options.schema import Options


@DATASETS.register("aligned")
class AlignedDataset(TranslationDataset):
    """Both halves get the same crop and flip."""

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        folder = os.path.join(opt.data.dataroot, phase)
        hint = f"--dataset_mode aligned expects pictures with A left and B right in {folder}"
        if os.path.isdir(folder + "A"):
            hint += f"; {folder}A looks unpaired: pass --dataset_mode unaligned, or --model cycle_gan"
        self.paths = list_images(folder, opt.data.max_dataset_size, hint=hint)

    def __len__(self) -> int:
        return len(self.paths)

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Cut picture ``index`` in two; an odd column goes to B."""
        path = self.paths[index]
        pair = open_rgb(path)
        width, height = pair.size
        if width < 2:
            raise UserError(f"the image {path} is one pixel wide and cannot hold a pair side by side")
        half = width // 2
        A, B = pair.crop((0, 0, half, height)), pair.crop((half, 0, width, height))
        geometry = draw_geometry(A.size, self.opt, rng, padded=True)
        return Sample(to_tensor(A, geometry, self.A_channels), to_tensor(B, geometry, self.B_channels), path, path)
