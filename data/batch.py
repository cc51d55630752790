"""Samples and batches: what data sets return and models receive."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from options.errors import DamagedError, UserError
from util.raster.kinds import Header
from util.raster.values import units


class Sample(NamedTuple):
    """One input A and, where there is one, its target or counterpart B: pixels (see ``data.pixels``), C x H x W.

    ``number`` is what the data set was asked for. ``complaints`` say which samples could not be used, so that this one
    takes their place. ``headers`` describe, in a test, the files: that of A and, if there is one, that of B.
    """

    A: Tensor
    B: Tensor | None
    A_path: str
    B_path: str
    number: int = 0
    complaints: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()


class Batch(NamedTuple):
    """What a model receives. ``A`` is always the network's input: direction is settled before.

    Tensors are N x C x H x W in [-1, 1]; ``B`` is None where a data set has only inputs. ``numbers`` and ``headers``
    belong to the samples. Where several processes share a step of ``in_all`` images, gradients and losses of this one
    have a ``weight``: its images beside an equal share of them, so 1 where all have the same number.
    """

    A: Tensor
    B: Tensor | None
    A_paths: tuple[str, ...]
    B_paths: tuple[str, ...]
    numbers: tuple[int, ...] = ()
    headers: tuple[tuple[Header, ...], ...] = ()
    in_all: int = 0
    weight: float = 1.0

    def to(self, device: torch.device) -> "Batch":
        """Copy the tensors to a device, and turn 8-bit levels into [-1, 1] there."""
        waits = device.type != "cuda"  # elsewhere the source must not go before the copy is made
        A = units(self.A.to(device, non_blocking=not waits))
        return self._replace(A=A, B=None if self.B is None else units(self.B.to(device, non_blocking=not waits)))

    def split(self, parts: int) -> "list[Batch]":
        """Return up to ``parts`` batches, of equal size where that is possible, else the first ones larger by one."""
        least, larger = divmod(self.size, parts)
        bounds = [number * least + min(number, larger) for number in range(parts + 1)]
        return [self._of(slice(start, end)) for start, end in pairwise(bounds) if start < end]

    def _of(self, place: slice) -> "Batch":
        B = None if self.B is None else self.B[place]
        paths = self.A_paths[place], self.B_paths[place]
        return Batch(self.A[place], B, *paths, self.numbers[place], self.headers[place])

    @property
    def target(self) -> Tensor:
        """The B images, where the model cannot do without."""
        assert self.B is not None, "this data set has no B images"
        return self.B

    @property
    def paths(self) -> tuple[str, ...]:
        """The files the images come from, each once."""
        return tuple(dict.fromkeys(path for path in (*self.A_paths, *self.B_paths) if path))

    @property
    def size(self) -> int:
        """Number of samples."""
        return self.A.shape[0]


class Loaded(NamedTuple):
    """What a loading process hands over; an error is handed on and not raised, because a worker would wrap it.

    Attributes:
        batch: None where no sample could be used.
        complaints: what is wrong with samples that were replaced or left out.
    """

    batch: Batch | None
    complaints: tuple[str, ...] = ()
    failure: UserError | None = None


def collate(samples: Sequence[Sample | UserError], *, leave_out: bool = False) -> Loaded:
    """Stack samples of one size.

    Args:
        leave_out: go on without the samples that could not be loaded, unless what holds many of them is damaged.
    """
    good = [sample for sample in samples if isinstance(sample, Sample)]
    bad = [sample for sample in samples if isinstance(sample, UserError)]
    complaints = [text for sample in good for text in sample.complaints]
    fatal = [error for error in bad if isinstance(error, DamagedError) or not leave_out]
    if fatal:
        return Loaded(None, failure=fatal[0])
    complaints += [str(error) for error in bad]
    if not good:
        return Loaded(None, tuple(complaints))
    if error := _unequal([(s.A, s.A_path) for s in good]) or _unequal([(s.B, s.B_path) for s in good]):
        return Loaded(None, failure=error)
    targets = [sample.B for sample in good if sample.B is not None]
    batch = Batch(
        _stack([sample.A for sample in good]),
        _stack(targets) if targets else None,
        tuple(sample.A_path for sample in good),
        tuple(sample.B_path for sample in good),
        tuple(sample.number for sample in good),
        tuple(sample.headers for sample in good),
    )
    return Loaded(batch, tuple(complaints))


def _stack(images: Sequence[Tensor]) -> Tensor:
    """Stack images; levels only if all are."""
    if len({image.dtype for image in images}) > 1:
        images = [units(image) for image in images]
    if len(images) == 1 and images[0].dtype == torch.uint8:
        return images[0][None]  # without a copy: ``Batch.to`` makes units of it
    return torch.stack(list(images))


def _unequal(images: Sequence[tuple[Tensor | None, str]]) -> UserError | None:
    """Return an error if two images of a batch differ in size."""
    sizes = {f"{image.shape[2]}x{image.shape[1]}": path for image, path in images if image is not None}
    if len(sizes) < 2:
        return None
    (first, first_path), (other, other_path) = list(sizes.items())[:2]
    return UserError(
        f"images of one batch differ in size: {first_path} is {first}, {other_path} is {other}; "
        "use --batch_size 1, or --preprocess pad_and_crop or resize_and_crop"
    )
