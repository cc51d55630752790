"""The contract of a data set: say how long it is and load one sample.

A sample is a function of ``(seed, epoch, index)`` alone, so worker processes, their number and a
resume in mid-epoch change nothing.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from data.batch import Sample
from data.transforms import Geometry, draw_geometry, to_tensor
from options.errors import UserError
from options.schema import DataOptions, NoOptions, Options

Key = tuple[int, int]  # (epoch, index)


class TranslationDataset(Dataset[Sample | UserError], ABC):
    """Base of all data sets. A subclass fills in ``load`` and ``__len__``.

    Attributes:
        Flags: dataclass of the data set's own flags.
        defaults: shared flags that it gives another default.
        has_target: whether samples have B images.
    """

    Flags: ClassVar[type] = NoOptions
    defaults: ClassVar[Mapping[str, Any]] = {}
    has_target: ClassVar[bool] = True

    def __init__(self, opt: Options, phase: str) -> None:
        self.opt = opt.data
        self.own: Any = opt.dataset
        self.phase = phase
        self.seed = opt.run.seed
        self.swapped = opt.data.direction == "BtoA"
        channels = (opt.net.input_nc, opt.net.output_nc)
        # channels of A and B as they lie on disk; input_nc is always the network's input
        self.A_channels, self.B_channels = reversed(channels) if self.swapped else channels

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples in an epoch."""

    @abstractmethod
    def load(self, index: int, rng: np.random.Generator) -> Sample:
        """Load one sample in disk order (A is domain A, whatever the direction).

        Args:
            index: 0 <= index < len(self).
            rng: the only source of randomness to use.

        Raises:
            UserError: a file is missing, damaged or too small.
        """

    def __getitem__(self, key: Key) -> Sample | UserError:
        epoch, index = key
        rng = np.random.default_rng((self.seed, epoch, index))
        try:
            sample = self.load(index, rng)
        except UserError as error:
            return error
        if self.swapped and sample.B is not None:
            return Sample(sample.B, sample.A, sample.B_path, sample.A_path)
        return sample


def open_rgb(path: str) -> Image.Image:
    """Read a picture as 8-bit RGB.

    Raises:
        UserError: the file is missing or damaged, or deeper than 8 bits.
    """
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")) or any(";16" in str(tile) for tile in image.tile):
                raise UserError(f"{path} has more than 8 bits a channel; convert it to 8-bit first")
            rgb: Image.Image = image.convert("RGB")
            return rgb
    except UserError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"cannot read the image {path} ({error}); repair or remove it") from error


def open_planned(path: str, opt: DataOptions, rng: np.random.Generator) -> tuple[Image.Image, Geometry]:
    """Read a picture as 8-bit RGB and choose its crop and flip.

    Raises:
        UserError: the file is damaged, or smaller than the crop.
    """
    image = open_rgb(path)
    try:
        return image, draw_geometry(image.size, opt, rng)
    except UserError as error:
        raise UserError(f"the image {path} {error}") from error


def load_tensor(path: str, channels: int, opt: DataOptions, rng: np.random.Generator) -> Tensor:
    """Read a picture and make it a network input, with a crop and flip of its own.

    Returns:
        channels x H x W in [-1, 1].

    Raises:
        UserError: as ``open_planned``.
    """
    image, geometry = open_planned(path, opt, rng)
    return to_tensor(image, geometry, channels)
