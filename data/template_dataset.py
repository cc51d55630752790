"""A data set to copy: change this file, add its import to ``data/__init__.py``, pass ``--dataset_mode``.

It reads images from ``<root>/<phase>`` and pairs each with a darkened copy of itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from data.base import TranslationDataset
from data.batch import Sample
from data.files.layout import plain_files
from data.registry import DATASETS
from options.flag import Settings, flag
from options.schema import Options
from util.raster.values import units


@dataclass(frozen=True, kw_only=True)
class TemplateDatasetOptions(Settings):
    """The template data set.

    How B is made of A.
    """

    new_dataset_option: float = flag(2.0, "how much darker B is than A. More is easier to see", metavar="FACTOR")


@DATASETS.register("template")
class TemplateDataset(TranslationDataset):
    """Say where the files are, and how one becomes a sample."""

    Flags = TemplateDatasetOptions
    paired = True  # B is what A should become
    defaults: ClassVar[Mapping[str, Any]] = {"max_dataset_size": 10}

    def __init__(self, opt: Options, phase: str) -> None:
        super().__init__(opt, phase)
        self.use("A", plain_files(opt.data, phase, hint="put images there"))

    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Return A and B, C x H x W in [-1, 1], in the order of the disk: direction is not your concern."""
        path = self.path("A", index)
        A = units(self.image("A", index, rng))
        B = (A + 1) / self.own.new_dataset_option - 1
        return Sample(A, B, path, path)
