"""The result folder of ``test.py``: one PNG per picture, and a page that shows them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from options.schema import Options
from util.html_page import HtmlPage
from util.images import Picture, save_picture, to_uint8
from util.run_folder import make_folder


def result_folder(opt: Options) -> Path:
    """Return ``<results_dir>/<name>/<phase>_<epoch>``, with ``_iter<N>`` where ``--load_iter`` is given."""
    iteration = f"_iter{opt.run.load_iter}" if opt.run.load_iter > 0 else ""
    return Path(opt.result.results_dir, opt.run.name, f"{opt.data.phase}_{opt.run.epoch}{iteration}")


class ResultPage:
    """Collects the pictures of one test."""

    def __init__(self, folder: Path, opt: Options) -> None:
        self.folder = folder
        self._images = make_folder(folder / "images")
        self._aspect_ratio, self._width = opt.result.aspect_ratio, opt.result.display_winsize
        self._page = HtmlPage(f"Experiment = {opt.run.name}, Phase = {opt.data.phase}, Epoch = {opt.run.epoch}")
        self._stems: set[str] = set()

    def add(self, paths: Sequence[str], visuals: Mapping[str, Tensor]) -> None:
        """Save the pictures of a batch.

        Args:
            paths: the input files, N of them.
            visuals: by label, N x C x H x W in [-1, 1]; labels may differ in size.
        """
        for index, path in enumerate(paths):
            stem = self._unused_stem(Path(path))
            self._page.header(stem)
            row = []
            for label, images in visuals.items():
                picture = to_uint8(images[index : index + 1])
                name = f"{stem}_{label}.png"
                save_picture(stretched(picture, self._aspect_ratio), self._images / name)
                row.append((label, f"images/{name}"))
            self._page.pictures(row, self._width)

    def save(self) -> Path:
        """Write the page and return its path."""
        path = self.folder / "index.html"
        self._page.save(path)
        return path

    def _unused_stem(self, path: Path) -> str:
        """Name a picture after its file; where names repeat, after its folders as well, then with a number."""
        stem, number = path.stem, 2
        for parent in path.parents:
            if stem not in self._stems or not parent.name:
                break
            stem = f"{parent.name}_{stem}"
        base = stem
        while stem in self._stems:
            stem, number = f"{base}_{number}", number + 1
        self._stems.add(stem)
        return stem


def stretched(picture: Picture, aspect_ratio: float) -> Picture:
    """Enlarge the width, or below 1 the height, so that width : height grows by the ratio."""
    if aspect_ratio == 1:
        return picture
    height, width = picture.shape[:2]
    size = (round(width * aspect_ratio), height) if aspect_ratio > 1 else (width, round(height / aspect_ratio))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
