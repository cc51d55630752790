"""Tiny data sets, drawn and written to a folder."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (40, 36)  # width, height
PHASES = {"train": 3, "val": 2, "test": 2}  # images of each


def an_image(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Draw a colour image without symmetry: a slope along each axis and some noise, different for each seed."""
    width, height = size
    random = np.random.RandomState(seed)
    x, y = np.linspace(0, 1, width)[None, :, None], np.linspace(0, 1, height)[:, None, None]
    base, along, down = random.uniform(30, 90, 3), random.uniform(40, 80, 3), random.uniform(10, 40, 3)
    levels = base + along * x + down * y + random.uniform(-10, 10, (height, width, 3))
    return Image.fromarray(levels.round().astype(np.uint8))


def side_by_side(A: Image.Image, B: Image.Image) -> Image.Image:
    """Put A left of B."""
    pair = Image.new("RGB", (A.width + B.width, A.height))
    pair.paste(A, (0, 0))
    pair.paste(B, (A.width, 0))
    return pair


def write(image: Image.Image, path: Path) -> Path:
    """Save an image, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


def flat(path: Path, value: int, size: tuple[int, int] = (8, 6)) -> Path:
    """Save an image of one gray."""
    return write(Image.new("RGB", size, (value, value, value)), path)


def files_below(folder: Path) -> list[str]:
    """Paths below a folder, links included, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


def fill(root: Path, *names: str) -> Path:
    """Make empty files, with their folders."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def write_unaligned(root: Path, size: tuple[int, int] = SIZE, *, phases: Mapping[str, int] = PHASES) -> Path:
    """Write ``trainA``, ``trainB``, ``valA`` ... ``testB``."""
    for phase, count in phases.items():
        for index in range(count):
            write(an_image(index, size), root / f"{phase}A" / f"a{index}.png")
            write(an_image(100 + index, size), root / f"{phase}B" / f"b{index}.png")
    return root


def write_aligned(root: Path, size: tuple[int, int] = SIZE) -> Path:
    """Write ``train``, ``val`` and ``test`` with pairs side by side; each half has ``size``."""
    for phase, count in PHASES.items():
        for index in range(count):
            pair = side_by_side(an_image(index, size), an_image(100 + index, size))
            write(pair, root / phase / f"pair{index}.png")
    return root


def write_colour(root: Path, size: tuple[int, int] = SIZE) -> Path:
    """Write ``train``, ``val`` and ``test`` with single colour images."""
    for phase, count in PHASES.items():
        for index in range(count):
            write(an_image(index, size), root / phase / f"colour{index}.png")
    return root
