"""Outputs of models as trees: NamedTuples of tensors, nested, in which None is what was not computed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

Out = TypeVar("Out", bound=tuple)  # type: ignore[type-arg]  # a model's NamedTuple of tensors


def computed(images: Mapping[str, Tensor | None]) -> dict[str, Tensor]:
    """Return, of images by label, those that there are."""
    return {label: image for label, image in images.items() if image is not None}


def detached(out: Any) -> Any:  # Any here and below: a model's own NamedTuple
    """Return an output without its graph."""
    return _mapped(lambda tensors: tensors[0].detach(), [out])


def joined(outs: Sequence[Any]) -> Any:
    """Return what any of several outputs holds; the first that is there counts."""
    return _mapped(lambda tensors: tensors[0], outs)


def concatenated(outs: Sequence[Any]) -> Any:
    """Return the output of a batch from those of its parts."""
    return _mapped(torch.cat, outs) if len(outs) > 1 else outs[0]


def _mapped(function: Callable[[list[Tensor]], Tensor], outs: Sequence[Any]) -> Any:
    """Apply a function to every place of a tree, given the tensors that several trees have there."""
    first = outs[0]
    if isinstance(first, tuple):
        fields = [_mapped(function, places) for places in zip(*outs, strict=True)]
        return type(first)(*fields) if hasattr(first, "_fields") else tuple(fields)
    there = [out for out in outs if out is not None]
    return function(there) if there else None
