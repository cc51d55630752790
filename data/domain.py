"""How the images of one domain, A or B, are read and resized."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from data.pixels import resized, size_of, size_text, stacked
from data.transforms import scaled_size
from options.data import Range
from options.errors import UserError
from options.schema import DataOptions
from util.raster.channels import with_channels
from util.raster.kinds import MOST_BYTES, MOST_PIXELS, Raster
from util.raster.values import to_pixels


@dataclass(frozen=True)
class Domain:
    """A or B as it lies on disk, whatever the direction.

    Attributes:
        channels: of each file that an image is made of; they are stacked.
        limits: the values that become -1 and 1; None takes those of each file's type.
        opt: the flags of the resizing.
    """

    side: str
    channels: tuple[int, ...]
    limits: Range | None
    opt: DataOptions

    def pixels(self, rasters: Sequence[Raster], files: Sequence[str]) -> Tensor:
        """Make an image of its files as they were read, stacked: pixels, C x H x W.

        Raises:
            UserError: a file has other channels or values than the flags say, or another size than the one it is
                stacked on.
        """
        images = [
            self._pixels(raster, channels, path)
            for raster, channels, path in zip(rasters, self.channels, files, strict=True)
        ]
        for path, image in zip(files, images, strict=True):
            if size_of(image) != size_of(images[0]):
                first, other = size_text(size_of(images[0])), size_text(size_of(image))
                raise UserError(f"{files[0]} is {first} and {path} {other}; stacked files need one size")
        return stacked(images)

    def scaled_image(self, rasters: Sequence[Raster], files: Sequence[str]) -> Tensor:
        """Make an image of its files as they were read, and resize it as ``--preprocess`` asks.

        Raises:
            UserError: as ``pixels``, or the result would be larger than any image that is read.
        """
        pixels = self.pixels(rasters, files)
        width, height = scaled_size(size_of(pixels), self.opt)
        bytes_per_pixel = len(pixels) * pixels.element_size()
        if width * height > MOST_PIXELS or width * height * bytes_per_pixel > MOST_BYTES:
            raise UserError(
                f"the image {files[0]} would have {width}x{height} pixels after --preprocess {self.opt.preprocess}, "
                "more than 179 million or 1 GiB; lower --load_size, or use --preprocess pad_and_crop or resize_and_crop"
            )
        return resized(pixels, (width, height), self.opt.interpolation_of(self.side))

    @property
    def holds_labels(self) -> bool:
        """True where values between two values mean nothing."""
        return self.opt.interpolation_of(self.side) == "nearest"

    def _pixels(self, raster: Raster, channels: int, path: str) -> Tensor:
        values = with_channels(raster, channels, path)
        try:
            return to_pixels(values, self.limits)
        except UserError as error:
            raise UserError(f"the image {path} {error}") from error


def channels_of(names: Sequence[str], found: Sequence[int], wanted: int, flag: str) -> tuple[int, ...]:
    """Return how many channels each file of an image contributes.

    One file gives all. Several give what they have, which must come to ``wanted``.

    Args:
        found: what each of several has.
        flag: that asks for them.
    """
    if len(names) == 1:
        return (wanted,)
    if sum(found) != wanted:
        text = ", ".join(f"{name} has {count}" for name, count in zip(names, found, strict=True))
        raise UserError(f"stacked files give {sum(found)} channels ({text}), not {wanted}; pass {flag} {sum(found)}")
    return tuple(found)
