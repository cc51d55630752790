"""A cache of a few images, and what to do with it."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from data.cache.image_cache import ImageCache

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

Kind = Literal["ram", "disk"]
KINDS: tuple[Kind, ...] = ("ram", "disk")
IMAGES = 10
PLACES = [(side, index) for index in range(IMAGES) for side in "AB"]
ALL = range(len(PLACES))
MEGABYTE = 10**6
NAME, OTHER = "f1" * 16, "f2" * 16
ROWS = 4096  # where the table of images begins in a file, with 32 bytes for each


def image(key: int) -> Tensor:
    """An image that depends on its number, as a decoder leaves it: H x W x C in memory; every third is float32."""
    generator = torch.Generator().manual_seed(key)
    levels = torch.randint(256, (30 + key % 7, 40, 3), generator=generator, dtype=torch.uint8).permute(2, 0, 1)
    return levels.float() / 255 if key % 3 == 0 else levels


def cache_in(
    folder: Path, kind: Kind = "disk", budget: int = MEGABYTE, *, images: int = IMAGES, fingerprint: str = NAME
) -> ImageCache:
    return ImageCache(kind, budget_bytes=budget, images=images, folder=folder, fingerprint=fingerprint)


def put(cache: ImageCache, *keys: int) -> list[bool]:
    return [cache.put(*PLACES[key], image(key)) for key in keys]


def assert_holds(cache: ImageCache, *keys: int) -> None:
    """The cache holds these images and no others."""
    for key, place in enumerate(PLACES):
        found = cache.get(*place)
        assert (found is not None) == (key in keys), place
        if found is not None:
            assert torch.equal(found, image(key))


def sent(cache: ImageCache) -> ImageCache:
    """The cache as another process gets it."""
    copy = pickle.loads(pickle.dumps(cache))
    assert isinstance(copy, ImageCache)
    return copy


def in_a_child(act: Callable[[], Any]) -> int:
    """Run in a forked process; return how it ended, as ``os.waitpid`` says."""
    child = os.fork()
    if child == 0:
        try:
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def just_enough() -> int:
    """The least budget that takes all images, if none is kept twice."""
    table = ROWS + 32 * len(PLACES)
    each = sum(-(-image(key).nbytes // 64) * 64 for key in ALL)
    return -(-(table + each) // 4096) * 4096 + 4096


def fill(cache: ImageCache, first: int) -> None:
    """Put all images, beginning with another one in each process, and look at all."""
    for key in [*ALL[first:], *ALL[:first]]:
        if (found := cache.get(*PLACES[key])) is not None:
            assert torch.equal(found, image(key))
        assert put(cache, key) == [True]
    assert_holds(cache, *ALL)
