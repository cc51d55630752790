"""Colour images in ``<root>/<phase>`` as lightness (A) and colour (B) in CIE Lab (Zhang et al. 2016)."""

import os
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
import torch

from data.base import TranslationDataset
from data.batch import Sample
from data.files.layout import plain_files
from data.registry import DATASETS
from options.errors import UserError
from options.schema import Options
from util.color import AB_RANGE, L_HALF, rgb_to_lab
from util.raster.values import units


@DATASETS.register("colorization")
class ColorizationDataset(TranslationDataset):
    """A is 1 x H x W (L / 50 - 1), B is 2 x H x W (ab / 110)."""

    paired = True
    defaults: ClassVar[Mapping[str, Any]] = {"input_nc": 1, "output_nc": 2, "direction": "AtoB"}

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        if (opt.net.input_nc, opt.net.output_nc, opt.data.direction) != (1, 2, "AtoB"):
            raise UserError(
                "--dataset_mode colorization needs --input_nc 1, --output_nc 2 and --direction AtoB, "
                f"not {opt.net.input_nc}, {opt.net.output_nc} and {opt.data.direction}; leave them out"
            )
        if opt.data.augment_input:
            raise UserError("--augment_input would change B too, which is made of A's image; pass --augment instead")
        hint = f"--dataset_mode colorization expects colour images in {os.path.join(opt.data.dataroot, phase)}"
        self.use("A", plain_files(opt.data, phase, hint=hint), channels=3)

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load one image and split lightness from colour."""
        path = self.path("A", index)
        rgb = units(self.image("A", index, rng)).double().add(1).div(2).permute(1, 2, 0).numpy()
        lab = torch.from_numpy(rgb_to_lab(rgb)).permute(2, 0, 1).float()  # 3 x H x W
        return Sample(lab[:1] / L_HALF - 1, lab[1:] / AB_RANGE, path, path)
