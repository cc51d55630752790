"""Translate pictures: whatever kind is given comes back, in its size and depth."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from data.pixels import resized, size_of
from inference.direction import Direction, finished
from inference.given import Picture, taken
from inference.large import Box, Tiling, translate_in_parts
from networks.compute import choose_compute
from networks.factory import generator_family
from networks.repeatable import sharing_copy
from options.errors import UserError
from options.speed import SpeedOptions
from util.raster.kinds import Raster

MOST_TOGETHER = 16  # pictures in a batch on a GPU


class Translator:
    """A trained run at work. It keeps nothing between pictures, so threads may share it and results repeat.

    Attributes:
        directions: by name, ``AtoB`` or ``BtoA``; the first is that of the training.
        direction: the one that is taken where none is named.
        device: where the networks are.
        source: the run's folder or file.
        tiling: what becomes of pictures that are too large to be computed at once.
    """

    def __init__(
        self,
        directions: Mapping[str, Direction],
        device: torch.device,
        *,
        precision: str = "auto",
        direction: str = "",
        source: str = "",
        tiling: Tiling | None = None,
    ) -> None:
        self.directions, self.device, self.source = dict(directions), device, source
        self.tiling = tiling or Tiling()
        self.direction = self.way(direction or next(iter(directions))).name
        unet = any(generator_family(way.netG)[0] == "unet" for way in directions.values())
        self._compute = choose_compute(SpeedOptions(precision=precision), device, unet=unet)  # type: ignore[arg-type]
        self._networks = nn.ModuleDict({name: sharing_copy(way.network) for name, way in self.directions.items()})
        self._compute.place(self._networks)

    def __call__(self, image: Any, direction: str = "", *, load_size: int = 0) -> Any:
        """Translate.

        Args:
            image: a PIL image, H x W, H x W x C or C x H x W of NumPy, C x H x W or N x C x H x W of PyTorch, a path,
                or a list of these. Integers have the range of their type, floats lie in [0, 1], unless the run was
                trained with a ``--value_range``.
            direction: ``AtoB`` or ``BtoA``; empty takes ``self.direction``.
            load_size: pixels of the shorter side while it is translated, such as the training's; 0: the picture's own.

        Returns:
            The same kind, size and depth. A path gives a PIL image, or H x W x C of NumPy where Pillow has no such
            images. Alpha is kept.

        Raises:
            UserError: a file cannot be read, or a picture does not suit the run.
            TypeError: it is no picture.
        """
        if isinstance(image, Tensor) and image.ndim == 4 and len(image) > 1:
            return torch.cat(self([one[None] for one in image], direction, load_size=load_size))
        several = isinstance(image, list | tuple)
        pictures = [taken(one) for one in (image if several else [image])]
        made = self.rasters(pictures, direction, load_size=load_size)
        out = [picture.back(raster) for picture, raster in zip(pictures, made, strict=True)]
        return out if several else out[0]

    def round_trip(self, image: Any, direction: str = "", *, load_size: int = 0) -> tuple[Any, Any]:
        """Return the translation, and what the other direction, which only a CycleGAN has, makes of that.

        Raises:
            UserError: the run has one direction.
        """
        there = self.way(direction)
        if there.other_way not in self.directions:
            raise UserError(f"{self.source} translates {there.name} only; for a round trip give a CycleGAN's run")
        fake = self(image, there.name, load_size=load_size)
        return fake, self(fake, there.other_way, load_size=load_size)

    def rasters(self, pictures: Sequence[Picture], direction: str = "", *, load_size: int = 0) -> list[Raster]:
        """Translate pictures that have been read; on a GPU, neighbours of one size are computed together."""
        way = self.way(direction)
        pixels = [way.pixels(picture.raster, picture.name) for picture in pictures]
        made = self.pixels(pixels, way.name, load_size=load_size)
        return [
            finished(image, way.kind(picture.header), picture.raster)
            for image, picture in zip(made, pictures, strict=True)
        ]

    @torch.inference_mode()
    def pixels(self, images: Sequence[Tensor], direction: str = "", *, load_size: int = 0) -> list[Tensor]:
        """Translate pixels, C x H x W (see ``util.raster.values``), to pictures, C x H x W in [-1, 1] on the CPU."""
        way = self.way(direction)
        scaled = [_scaled(image, load_size) for image in images]
        made: list[Tensor] = []
        for size, group in groupby(scaled, size_of):
            together = self.tiling.how_many(way, size[1], size[0], self.device)
            most = min(together, 1 if self.device.type == "cpu" else MOST_TOGETHER)  # a CPU gains nothing by batches
            alike = list(group)
            if not together:
                made += [self._in_parts(way, image) for image in alike]
            else:
                for first in range(0, len(alike), most):
                    made += self._at_once(way, alike[first : first + most])
        return [
            resized(image, size_of(before), "bicubic") if load_size else image
            for image, before in zip(made, images, strict=True)
        ]

    def in_parts(
        self, way: Direction, size: tuple[int, int], read: Callable[[Box], Tensor], write: Callable[[Box, Tensor], None]
    ) -> None:
        """Translate a picture that need not be in memory.

        Args:
            size: height and width.
            read: returns a part of it as pixels, C x h x w.
            write: takes a part of the translation, C x h x w in [-1, 1].
        """
        network = self._networks[way.name]
        tiling, device = self.tiling, self.device
        with torch.inference_mode(), self._compute.kernels(), self._compute.forward():
            translate_in_parts(
                way, network, partial(self._forward, way), size, read, write, tiling=tiling, device=device
            )

    def _in_parts(self, way: Direction, image: Tensor) -> Tensor:
        width, height = size_of(image)
        made = torch.empty((3 if way.colorizes else way.output_nc, height, width))

        def write(box: Box, part: Tensor) -> None:
            made[:, box.top : box.bottom, box.left : box.right] = part

        self.in_parts(way, (height, width), lambda box: image[:, box.top : box.bottom, box.left : box.right], write)
        return made

    def _at_once(self, way: Direction, images: Sequence[Tensor]) -> list[Tensor]:
        inputs = [way.encode(image) for image in images]
        made = self._forward(way, torch.cat(inputs)).split(1)  # type: ignore[no-untyped-call]
        return [way.decode(given, out) for given, out in zip(inputs, made, strict=True)]

    def way(self, direction: str) -> Direction:
        """Return a direction by name; empty is the translator's own.

        Raises:
            UserError: the run does not have it.
        """
        found = self.directions.get(direction or self.direction)
        if found is None:
            raise UserError(f"{self.source} translates {' and '.join(self.directions)}, not {direction!r}")
        return found

    def _forward(self, way: Direction, images: Tensor) -> Tensor:
        """Apply the network to N x C x H x W; returns float32 on the CPU."""
        with self._compute.kernels(), self._compute.forward():
            made: Tensor = self._networks[way.name](images.to(self.device))
        return made.float().cpu()


def _scaled(image: Tensor, load_size: int) -> Tensor:
    """Resize so that the shorter side has as many pixels; 0 keeps the size."""
    if not load_size:
        return image
    width, height = size_of(image)
    factor = load_size / min(width, height)
    return resized(image, (max(1, round(width * factor)), max(1, round(height * factor))), "bicubic")
