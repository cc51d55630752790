"""Make a sample of a pair: both images are cut and changed alike."""

import numpy as np
from torch import Tensor

from data.base import TranslationDataset
from data.batch import Sample
from data.pixels import size_of, size_text
from data.transforms import cut, draw_geometry
from options.errors import UserError
from util.raster.kinds import Raster


def cut_alike(dataset: TranslationDataset, index: int, A: Tensor, B: Tensor, rng: np.random.Generator) -> Sample:
    """Return the pair at a place of a data set with one crop, flip and augmentation.

    Args:
        A: scaled pixels, C x H x W; so is B.

    Raises:
        UserError: they differ in size.
    """
    A_path, B_path = dataset.path("A", index), dataset.path("B", index)
    if size_of(A) != size_of(B):
        sizes = " and ".join(size_text(size_of(image)) for image in (A, B))
        raise UserError(
            f"{A_path} and {B_path} are {sizes} pixels after --preprocess {dataset.opt.preprocess}, but a pair is cut "
            "alike; make them equal, or use --preprocess resize_and_crop"
        )
    geometry = draw_geometry(size_of(A), dataset.opt, rng, padded=True)
    A, B = dataset.augmented("AB", [cut(A, geometry), cut(B, geometry)], rng)
    return Sample(A, B, A_path, B_path)


def halves(raster: Raster, path: str) -> tuple[Raster, Raster]:
    """Cut an image in two; an odd column goes to the right.

    Raises:
        UserError: it is too narrow.
    """
    levels, color = raster
    half = levels.shape[1] // 2
    if not half:
        raise UserError(f"the image {path} is one pixel wide and cannot hold a pair side by side")
    return Raster(levels[:, :half], color), Raster(levels[:, half:], color)
