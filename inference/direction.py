"""One direction of a trained run: a generator, and how images get into it and out of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data.result_kinds import like
from models.colorization_model import lightness_and_color_to_rgb
from options.data import Range
from options.errors import UserError
from util.checkpoint import AVERAGED
from util.color import L_HALF, rgb_to_lab
from util.raster.channels import with_channels
from util.raster.kinds import Header, Raster
from util.raster.values import from_pixels, to_pixels, units
from util.results import COLORS, FileKind

WITH_ALPHA = ("gray+alpha", "rgba")


@dataclass(frozen=True)
class Direction:
    """What translates from one domain to the other.

    Attributes:
        name: ``AtoB`` or ``BtoA``, as the data of the training lay on disk.
        network: shares nothing with other images, see ``networks.repeatable``; N x C x H x W in [-1, 1] both ways.
        generator: what its file is called, such as ``G_A``.
        input_nc: channels of the network's input.
        output_nc: channels of its output.
        limits: the input's values that become -1 and 1; None takes those of an image's type.
        target_limits: the same of the output.
        netG: its kind.
        ngf: filters of its last layer.
        colorizes: whether the network makes colours (Lab) from lightness.
        load_size: pixels a side at which the training saw images; 0 if unknown.
        multiple: sides that the network works on without padding.
        file: where the weights lie.
        running_statistics: batch norms use what they gathered in the training.
        about: the flags of the training that tell how to build and feed the network.
    """

    name: str
    network: nn.Module
    generator: str
    input_nc: int
    output_nc: int
    netG: str
    ngf: int
    limits: Range | None = None
    target_limits: Range | None = None
    colorizes: bool = False
    load_size: int = 0
    multiple: int = 4
    file: Path = Path()
    running_statistics: bool = False
    about: tuple[tuple[str, Any], ...] = ()

    @property
    def other_way(self) -> str:
        """The name of the way back."""
        return "BtoA" if self.name == "AtoB" else "AtoB"

    @property
    def weights(self) -> str:
        """``averaged`` or ``raw``."""
        return "averaged" if self.file.stem.endswith(AVERAGED) else "raw"

    @property
    def image_nc(self) -> int:
        """Channels of the images that go in; those of colorization are colours even if the network sees one."""
        return 3 if self.colorizes else self.input_nc

    @property
    def result_nc(self) -> int:
        """Channels of the images that come out."""
        return 3 if self.colorizes else self.output_nc

    def pixels(self, raster: Raster, name: str) -> Tensor:
        """Return an image as pixels, C x H x W (see ``util.raster.values``).

        Raises:
            UserError: it has other channels or values than the training's; says so of ``name``.
        """
        have, wanted = raster.levels.shape[2], self.image_nc
        try:
            levels = with_channels(raster, wanted, name)
        except UserError as error:
            raise UserError(f"the image {name} has {have} channels, but the run takes {wanted}; convert it") from error
        try:
            return to_pixels(levels, self.limits)
        except UserError as error:
            what = str(error).split("; ")[0]
            raise UserError(f"the image {name} {what}; the run takes no others, so scale or repair it") from error

    def encode(self, pixels: Tensor) -> Tensor:
        """Turn pixels, C x H x W, into the network's input, 1 x C x H x W in [-1, 1]."""
        image = units(pixels)
        if not self.colorizes:
            return image[None]
        rgb = image.double().add(1).div(2).permute(1, 2, 0).cpu().numpy()
        lightness = torch.from_numpy(rgb_to_lab(rgb)[..., :1]).permute(2, 0, 1).float()
        return (lightness / L_HALF - 1)[None]

    def decode(self, given: Tensor, made: Tensor) -> Tensor:
        """Turn what the network was given and made, 1 x C x H x W, into an image, C x H x W in [-1, 1]."""
        return lightness_and_color_to_rgb(given, made)[0] if self.colorizes else made[0]

    def kind(self, header: Header) -> FileKind:
        """Return what sort of image a translation of such an image is."""
        return like(header, self.limits, self.target_limits)


def finished(image: Tensor, kind: FileKind, raster: Raster) -> Raster:
    """Return a translated image in the values of its kind; it keeps the alpha of the image it was made of.

    Args:
        image: C x H x W in [-1, 1].
        raster: what it was made of.
    """
    levels = from_pixels(image, kind.dtype, kind.limits)
    keeps_alpha = raster.color in WITH_ALPHA and levels.shape[2] in (1, 3) and raster.levels.dtype == levels.dtype
    if keeps_alpha:
        levels = np.concatenate([levels, raster.levels[:, :, -1:]], 2)
    channels = levels.shape[2]
    same = channels == raster.levels.shape[2]
    return Raster(levels, raster.color if same else COLORS.get(channels, "channels"))
