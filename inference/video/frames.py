"""Translate images of a video: uint8 or uint16 in, the same out, three channels."""

from collections.abc import Sequence

import numpy as np

from data.result_kinds import WORD_RANGE
from inference.direction import Direction
from inference.inputs import InputImage
from inference.translator import Translator
from inference.video.settings import VideoSettings
from inference.video.smoothing import Smoother
from options.errors import UserError
from util.raster.kinds import Header, Levels, Raster
from util.raster.values import BYTE_RANGE


class Frames:
    """Translates the images of one video in their order.

    Args:
        size: width and height.
        bits: of the video's values.
        name: of the video, for messages.

    Attributes:
        deep: whether images are taken as uint16.
        makes_deep: whether translations are uint16.

    Raises:
        UserError: the run does not make colours of colours.
    """

    def __init__(
        self, translator: Translator, settings: VideoSettings, size: tuple[int, int], bits: int, name: str
    ) -> None:
        way = translator.way("")
        self.deep = _takes_deep(way, bits)
        self._header = Header("PNG", *size, 3, np.dtype(np.uint16 if self.deep else np.uint8), "rgb")
        self._name, self._translator, self._load_size = f"in {name}", translator, settings.load_size
        made = way.kind(self._header).dtype
        if way.result_nc not in (1, 3) or made not in (np.uint8, np.uint16):
            raise UserError(f"the run makes {way.result_nc} channels of {made} numbers; a video needs colours or grays")
        self.makes_deep = made == np.uint16
        self._smoother = Smoother(settings.smooth) if settings.smooth else None

    def __call__(self, frames: Sequence[Levels]) -> list[Levels]:
        """Translate neighbouring images, H x W x 3 each."""
        images = [InputImage(self._name, Raster(one, "rgb"), self._header, lambda raster: raster) for one in frames]
        rasters = self._translator.rasters(images, load_size=self._load_size)
        levels = (raster.levels for raster in rasters)
        made = [one if one.shape[2] == 3 else np.repeat(one, 3, axis=2) for one in levels]
        if self._smoother is not None:
            made = [self._smoother(frame, one) for frame, one in zip(frames, made, strict=True)]
        return made


def _takes_deep(way: Direction, bits: int) -> bool:
    """Return whether a direction takes images as uint16."""
    if way.limits not in (None, BYTE_RANGE, WORD_RANGE):
        low, high = way.limits
        raise UserError(f"the run was trained on values from {low:g} to {high:g}; videos have 0 to 255, or to 65535")
    if way.image_nc > 4:
        raise UserError(f"the run takes images of {way.image_nc} channels; videos have three")
    return way.limits == WORD_RANGE or (way.limits is None and bits > 8)
