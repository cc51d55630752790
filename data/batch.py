"""Samples and batches: what data sets return and models receive."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from options.errors import UserError


class Sample(NamedTuple):
    """One input A and, where there is one, its target or counterpart B: C x H x W in [-1, 1]."""

    A: Tensor
    B: Tensor | None
    A_path: str
    B_path: str


class Batch(NamedTuple):
    """What a model receives. ``A`` is always the network's input: direction is settled before.

    Tensors are N x C x H x W in [-1, 1]; ``B`` is None where a data set has only inputs.
    """

    A: Tensor
    B: Tensor | None
    A_paths: tuple[str, ...]
    B_paths: tuple[str, ...]

    def to(self, device: torch.device) -> "Batch":
        """Copy the tensors to a device."""
        target = None if self.B is None else self.B.to(device, non_blocking=True)
        return self._replace(A=self.A.to(device, non_blocking=True), B=target)

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


def collate(samples: Sequence[Sample | UserError]) -> Batch | UserError:
    """Stack samples; hand on an error instead of raising it, because a worker would wrap it."""
    good = [sample for sample in samples if isinstance(sample, Sample)]
    if len(good) < len(samples):
        return next(sample for sample in samples if isinstance(sample, UserError))
    if error := _unequal([(s.A, s.A_path) for s in good]) or _unequal([(s.B, s.B_path) for s in good]):
        return error
    targets = [sample.B for sample in good if sample.B is not None]
    return Batch(
        torch.stack([sample.A for sample in good]),
        torch.stack(targets) if targets else None,
        tuple(sample.A_path for sample in good),
        tuple(sample.B_path for sample in good),
    )


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
