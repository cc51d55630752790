"""An image file that does not fit into memory, translated by way of files of plain numbers."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from inference.direction import finished
from inference.large.box import Box
from inference.large.raw_encoding import packed, suffix_for
from inference.large.raw_file import empty, unpacked
from inference.translator import Translator
from util.run_folder import make_folder


def translate_out_of_core(
    translator: Translator,
    source: Path,
    stem: Path,
    *,
    suffix: str = "",
    quality: int = 95,
    progress: Callable[[float], None] = lambda share: None,
) -> Path:
    """Translate an image file that is not read at once, by way of files of plain numbers; returns what was written.

    Raises:
        UserError: pyvips is missing, the image does not suit the run, or the disk is full.
    """
    way = translator.way("")
    make_folder(stem.parent)
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        given = unpacked(source, folder)
        kind = way.kind(given.header)
        height, width, _ = given.shape
        trial = Box(0, 1, 0, 1)
        like = finished(torch.zeros(way.result_nc, 1, 1), kind, given.read(trial))
        suffix = suffix_for(given.header, like.levels.dtype, like.color, suffix)
        made = empty(folder / "made.raw", (height, width, like.levels.shape[2]), like.levels.dtype, like.color)

        def write(box: Box, image: Tensor) -> None:
            made.write(box, finished(image, kind, given.read(box)).levels)

        translator.in_parts(
            way, (width, height), lambda box: way.pixels(given.read(box), str(source)), write, progress=progress
        )
        return packed(made, stem, suffix=suffix, quality=quality)
