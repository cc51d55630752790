"""Translate images: whatever kind is given comes back, in its size and depth."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data.pixels import Size, resized
from inference.direction import Direction, finished
from inference.inputs import InputImage, read_input
from inference.large import Box, Tiling, translate_in_parts
from networks.compute import choose_compute, has_bf16
from networks.factory import generator_family
from networks.fast.layers import hold_weights
from networks.fast.quantized import quantize
from networks.repeatable import sharing_copy
from options.errors import UserError
from options.speed import SpeedOptions
from util.machine import keep_freed_memory
from util.raster.kinds import Raster

MOST_TOGETHER = 16  # images in a batch on a GPU


class Translator:
    """A trained run at work. It keeps nothing between images, so threads may share it and results repeat.

    Attributes:
        directions: by name, ``AtoB`` or ``BtoA``; the first is that of the training.
        direction: the one that is taken where none is named.
        device: where the networks are.
        source: the run's folder or file.
        tiling: what becomes of images that are too large to be computed at once.
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
        self._precision = precision
        numbers = _numbers_beside_int8(device) if precision == "int8" else precision
        self._compute = choose_compute(SpeedOptions(precision=numbers), device, unet=unet)  # type: ignore[arg-type]
        self._networks = nn.ModuleDict({name: sharing_copy(way.network) for name, way in self.directions.items()})
        self._compute.place(self._networks)
        if device.type == "cpu":
            keep_freed_memory()  # large images take a third of the time
        hold_weights(self._networks)
        if precision == "int8" and not quantize(self._networks):
            raise UserError(f"--precision int8 gains nothing here: {source} has no wide convolutions; pass auto")

    def __call__(self, image: Any, direction: str = "", *, load_size: int = 0) -> Any:
        """Translate.

        Args:
            image: a PIL image, H x W, H x W x C or C x H x W of NumPy, C x H x W or N x C x H x W of PyTorch, a path,
                or a list of these. Integers have the range of their type, floats lie in [0, 1], unless the run was
                trained with a ``--value_range``.
            direction: ``AtoB`` or ``BtoA``; empty takes ``self.direction``.
            load_size: pixels of the shorter side while it is translated, such as the training's; 0: the image's own.

        Returns:
            The same kind, size and depth. A path gives a PIL image, or H x W x C of NumPy where Pillow has no such
            images. Alpha is kept.

        Raises:
            UserError: a file cannot be read, or an image does not suit the run.
            TypeError: it is no image.
        """
        if isinstance(image, Tensor) and image.ndim == 4 and len(image) > 1:
            return torch.cat(self([one[None] for one in image], direction, load_size=load_size))
        several = isinstance(image, list | tuple)
        inputs = [read_input(one) for one in (image if several else [image])]
        made = self.rasters(inputs, direction, load_size=load_size)
        out = [one.back(raster) for one, raster in zip(inputs, made, strict=True)]
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

    @torch.inference_mode()
    def rasters(self, images: Sequence[InputImage], direction: str = "", *, load_size: int = 0) -> list[Raster]:
        """Translate images that have been read; on a GPU, neighbours of one size are computed together."""
        way = self.way(direction)
        made: list[Raster] = []
        for size, group in groupby(images, lambda image: _scaled_size(image, load_size)):
            together = self.tiling.how_many(way, *size, self.device)
            most = min(together, 1 if self.device.type == "cpu" else MOST_TOGETHER)  # a CPU gains nothing by batches
            alike = list(group)
            for first in range(0, len(alike), max(1, most)):
                few = alike[first : first + max(1, most)]
                made += self._at_once(way, few, size) if together else [self._in_parts(way, few[0], size)]
        return made

    def in_parts(
        self,
        way: Direction,
        size: Size,
        read: Callable[[Box], Tensor],
        write: Callable[[Box, Tensor], None],
        *,
        progress: Callable[[float], None] = lambda share: None,
    ) -> None:
        """Translate an image that need not be in memory; the arguments are those of ``translate_in_parts``."""
        network, forward, device = self._networks[way.name], partial(self._forward, way), self.device
        with torch.inference_mode(), self._compute.kernels(), self._compute.forward():
            translate_in_parts(
                way, network, forward, size, read, write, tiling=self.tiling, device=device, progress=progress
            )

    def describe(self) -> str:
        """Say where and how it computes."""
        return f"{self.device}, {'int8 and ' * (self._precision == 'int8')}{self._compute}"

    def way(self, direction: str) -> Direction:
        """Return a direction by name; empty is the translator's own.

        Raises:
            UserError: the run does not have it.
        """
        found = self.directions.get(direction or self.direction)
        if found is None:
            raise UserError(f"{self.source} translates {' and '.join(self.directions)}, not {direction!r}")
        return found

    def _at_once(self, way: Direction, images: Sequence[InputImage], size: Size) -> list[Raster]:
        pixels = [resized(way.pixels(image.raster, image.name), size, "bicubic") for image in images]
        inputs = [way.encode(one) for one in pixels]
        outputs = self._forward(way, torch.cat(inputs)).split(1)  # type: ignore[no-untyped-call]
        made = []
        for given, out, image in zip(inputs, outputs, images, strict=True):
            result = resized(way.decode(given, out), image.size, "bicubic")
            made.append(finished(result, way.kind(image.header), image.raster))
        return made

    def _in_parts(self, way: Direction, image: InputImage, size: Size) -> Raster:
        if size != image.size:
            raise UserError(
                f"the image {image.name} is too large for --load_size, {size[0]}x{size[1]} pixels; leave that out"
            )
        kind, (levels, color) = way.kind(image.header), image.raster
        made: list[Raster] = []

        def part(box: Box) -> Raster:
            return Raster(levels[box.top : box.bottom, box.left : box.right], color)

        def write(box: Box, piece: Tensor) -> None:
            done = finished(piece, kind, part(box))
            if not made:
                made.append(Raster(np.empty((*levels.shape[:2], done.levels.shape[2]), done.levels.dtype), done.color))
            made[0].levels[box.top : box.bottom, box.left : box.right] = done.levels

        self.in_parts(way, image.size, lambda box: way.pixels(part(box), image.name), write)
        return made[0]

    def _forward(self, way: Direction, images: Tensor) -> Tensor:
        """Apply the network to N x C x H x W; returns float32 on the CPU."""
        try:
            with self._compute.kernels(), self._compute.forward():
                made: Tensor = self._networks[way.name](images.to(self.device))
            return made.float().cpu()
        except RuntimeError as error:  # on a GPU it is a torch.OutOfMemoryError
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            size = f"{images.shape[3]}x{images.shape[2]}"
            raise UserError(f"not enough memory for {size} pixels at once; leave --tiling off out") from error


def _numbers_beside_int8(device: torch.device) -> str:
    if device.type != "cpu":
        raise UserError(f"--precision int8 is for the CPU, not {device}; pass auto, bf16 or fp16")
    return "bf16" if has_bf16(device) else "auto"


def _scaled_size(image: InputImage, load_size: int) -> Size:
    width, height = image.size
    factor = load_size / min(width, height) if load_size else 1
    return max(1, round(width * factor)), max(1, round(height * factor))
