"""Whether a file translates as PyTorch does: the same images through both, compared number by number."""

import math
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from time import perf_counter
from typing import NamedTuple

import torch
from torch import Tensor

from inference.direction import Direction

Runner = Callable[[Tensor], Tensor]  # N x C x H x W in [-1, 1], both ways

SIZES = ((1, 256, 256), (2, 133, 300), (1, 31, 200), (3, 5, 9))  # images, height, width; the first is timed
MOST_DIFFERENT = 1e-3  # of numbers from -1 to 1 in float32: an eighth of an 8-bit level
LEAST_PSNR = {"fp16": 40.0, "int8": 20.0}  # dB; below, a file is no longer the same network
HALF_RANGE = 127.5  # levels of 255
TURNS = 5  # translations that are timed


class DeviationError(Exception):
    """A file that was written does not translate as PyTorch does."""


class Deviation(NamedTuple):
    """How far translations are from PyTorch's.

    Attributes:
        largest: difference of two numbers in [-1, 1].
        psnr: dB; infinite where all are the same.
    """

    largest: float
    psnr: float

    def __str__(self) -> str:
        if self.largest == 0:
            return "makes the same numbers as PyTorch"
        levels = self.largest * HALF_RANGE
        return (
            f"differs from PyTorch by at most {self.largest:.1e} ({levels:.2g} of 255 levels), PSNR {self.psnr:.0f} dB"
        )

    def checked(self, precision: str) -> "Deviation":
        """Return itself if that is near enough for the numbers of a file.

        Raises:
            DeviationError: it is not, or what was made are no numbers.
        """
        least = LEAST_PSNR.get(precision)
        near = self.largest <= MOST_DIFFERENT if least is None else self.psnr >= least
        if near:
            return self
        allowed = f"{MOST_DIFFERENT:g}" if least is None else f"{least:g} dB of PSNR"
        raise DeviationError(f"{self}, which is more than {precision} explains ({allowed})")


@torch.inference_mode()
def compare(way: Direction, run: Runner) -> Deviation:
    """Translate images of several sizes, alone and several at once, with PyTorch and with ``run``."""
    largest, squares, count = 0.0, 0.0, 0
    for image in images(way.image_nc):
        wanted, made = translated(way, image), run(image)
        if made.shape != wanted.shape:
            raise DeviationError(f"makes {tuple(made.shape)} where PyTorch makes {tuple(wanted.shape)}")
        difference = (made - wanted).abs().double()
        largest = float(difference.amax().clamp(min=largest))  # keeps what is no number
        squares += float(difference.square().sum())
        count += difference.numel()
    mean = squares / count
    return Deviation(largest, math.inf if mean == 0 else 10 * math.log10(4 / mean))


def translated(way: Direction, images: Tensor) -> Tensor:
    """Translate N x C x H x W in [-1, 1] with PyTorch; colorization takes and gives RGB."""
    if not way.colorizes:
        return way.network(images)  # type: ignore[no-any-return]
    inputs = [way.encode(image) for image in images]
    return torch.stack([way.decode(given, way.network(given)) for given in inputs])


def images(channels: int) -> Iterator[Tensor]:
    """Draw something like photographs: shades, waves and an edge, N x C x H x W in [-1, 1], always the same ones."""
    for count, height, width in SIZES:
        y, x = torch.linspace(0, 1, height)[:, None], torch.linspace(0, 1, width)[None]
        planes = []
        for index in range(count * channels):
            waves = 0.4 * torch.sin(7 * x + index) * torch.cos(5 * y - index) + 0.2 * torch.sin(40 * x * y + index)
            edge = 0.3 * torch.sign(x + 0.3 * y - 0.6)
            planes.append(waves + edge * math.cos(index) + 0.1 * (x - y))
        yield torch.stack(planes).view(count, channels, height, width)


@torch.inference_mode()
def milliseconds(programs: Mapping[str, Runner], channels: int) -> dict[str, float]:
    """Return what an image of 256 x 256 pixels takes with each, the median of a few turns; one is not counted."""
    times: dict[str, list[float]] = {name: [] for name in programs}
    image = next(images(channels))
    for _ in range(TURNS + 1):
        for name, run in programs.items():
            start = perf_counter()
            run(image)
            times[name].append(1000 * (perf_counter() - start))
    return {name: median(taken[1:]) for name, taken in times.items()}
