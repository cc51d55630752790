"""The result folder of ``test.py``: a file per image, of the kind that the data are, and a page that shows them."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from options.data import Range
from options.schema import Options
from util.html_page import HtmlPage
from util.images import save_image, to_uint8
from util.raster.kinds import Color, Header
from util.raster.values import from_pixels, range_of_type
from util.raster.writing import write_raster
from util.run_folder import make_folder

LONGEST_NAME = 200  # bytes: file systems take 255, and a label is added
COLORS: Mapping[int, Color] = {1: "gray", 2: "gray+alpha", 3: "rgb", 4: "rgba"}


class FileKind(NamedTuple):
    """What sort of file an image becomes: like ``header``, of ``dtype``, with the values ``limits`` for -1 to 1."""

    header: Header
    dtype: np.dtype[Any]
    limits: Range | None

    @property
    def shows(self) -> bool:
        """True where black and white in the file are black and white to a browser."""
        return self.dtype.kind == "u" and self.limits in (None, range_of_type(self.dtype))


def result_folder(opt: Options) -> Path:
    """Return ``<results_dir>/<name>/<phase>_<epoch>``, with ``_iter<N>`` where ``--load_iter`` is given."""
    iteration = f"_iter{opt.run.load_iter}" if opt.run.load_iter > 0 else ""
    return Path(opt.result.results_dir, opt.run.name, f"{opt.data.phase}_{opt.run.epoch}{iteration}")


class ResultPage:
    """Collects the images of one test."""

    def __init__(self, folder: Path, opt: Options) -> None:
        self.folder = folder
        self._images = make_folder(folder / "images")
        self._aspect_ratio, self._width = opt.result.aspect_ratio, opt.result.display_winsize
        self._page = HtmlPage(f"Experiment = {opt.run.name}, Phase = {opt.data.phase}, Epoch = {opt.run.epoch}")
        self._stems: set[str] = set()

    def add(self, names: Sequence[str], visuals: Mapping[str, Tensor], kinds: Sequence[Mapping[str, FileKind]]) -> None:
        """Save the images of a batch.

        Args:
            names: of the N input files, below their folder, whose sub-folders are kept.
            visuals: by label, N x C x H x W in [-1, 1]; labels may differ in size.
            kinds: of the files of domain "A" and, where there are any, "B", for each of the N.
        """
        for index, name in enumerate(names):
            stem = self._unused_stem(name)
            make_folder((self._images / stem).parent)
            self._page.header(stem)
            row = []
            for label, images in visuals.items():
                pixels = stretched(images[index : index + 1], self._aspect_ratio)
                row.append((label, f"images/{self._save(f'{stem}_{label}', pixels, kind_of(label, kinds[index]))}"))
            self._page.images(row, self._width)

    def save(self) -> Path:
        """Write the page and return its path."""
        path = self.folder / "index.html"
        self._page.save(path)
        return path

    def _save(self, stem: str, images: Tensor, kind: FileKind) -> str:
        """Write an image as its kind of file; return the one to show: it, or an 8-bit PNG beside it."""
        header, channels = kind.header, images.shape[1]
        color = header.color if channels == header.channels else COLORS.get(channels, "channels")
        values = from_pixels(images[0].detach().float().cpu(), kind.dtype, kind.limits)  # sync
        written = write_raster(
            values,
            self._images / stem,
            file_format=header.file_format,
            color=color,
            layout=header.layout,
            array_name=header.array_name,
        )
        if kind.shows and written.suffix == ".png":
            return f"{stem}.png"
        shown = f"{stem}.png" if written.suffix != ".png" else f"{stem}_shown.png"
        save_image(to_uint8(images), self._images / shown)
        return shown

    def _unused_stem(self, name: str) -> str:
        """Name an image after its file; where names differ in their ending alone, with a number."""
        path = PurePosixPath(name)
        base = stem = str(path.with_name(os.fsdecode(os.fsencode(path.stem)[:LONGEST_NAME])))
        number = 2
        while stem in self._stems:
            stem, number = f"{base}_{number}", number + 1
        self._stems.add(stem)
        return stem


def kind_of(label: str, kinds: Mapping[str, FileKind]) -> FileKind:
    """Return the kind of the domain that a label such as ``fake_B`` or ``real`` speaks of."""
    side = "B" if label.endswith("_B") or label == "fake" else "A"
    return kinds.get(side, kinds["A"])


def stretched(images: Tensor, aspect_ratio: float) -> Tensor:
    """Enlarge the width, or below 1 the height, so that width : height grows by the ratio.

    Args:
        images: N x C x H x W in [-1, 1].
    """
    if aspect_ratio == 1:
        return images
    height, width = images.shape[2:]
    size = (height, round(width * aspect_ratio)) if aspect_ratio > 1 else (round(height / aspect_ratio), width)
    return F.interpolate(images.float(), size, mode="bicubic").clamp(-1, 1)
