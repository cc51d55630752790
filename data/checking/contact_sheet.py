"""Some images of every folder on one sheet, to look at."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont, ImageOps

from data.checking.findings import Checked
from data.checking.one_file import Seen
from data.checking.partners import Mode, matched, paths_of, results_of
from data.checking.survivor import for_all
from data.pixels import size_text
from options.errors import UserError
from util.images import ImageArray, as_rgb
from util.raster.channels import with_channels
from util.raster.reading import read_raster

CELL = 150  # pixels, for one image; a pair gets two
WIDTH = 8  # cells
GAP = 6
TEXT, HEADING = 11, 16  # pixels
INK = "#444444"


class Cell(NamedTuple):
    """One image of the sheet, or a pair."""

    files: tuple[str, ...]
    name: str
    size: str


class Block(NamedTuple):
    """The images of a source, or of A and B together, below a heading."""

    heading: str
    span: int  # cells that one image or pair takes
    cells: Sequence[Cell]


def contact_sheet(checked: Sequence[Checked], mode: Mode, *, count: int, processes: int) -> ImageArray | None:
    """Draw at most ``count`` images of every source, evenly chosen; None if no image, or no whole pair, can be read."""
    blocks = [block for block in _blocks(checked, mode, count) if block.cells]
    if not blocks:
        return None
    paths = [path for block in blocks for cell in block.cells for path in cell.files]
    thumbnails = dict(
        for_all(partial(thumbnail, side=CELL * max(b.span for b in blocks)), paths, processes=processes, what="sheet")
    )
    images = {path: image for number, path in enumerate(paths) if (image := thumbnails[number]) is not None}
    rows = [_block(block, images) for block in blocks]
    canvas = Image.new("RGB", (rows[0].width, sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        canvas.paste(row, (0, top))
        top += row.height
    return np.asarray(canvas)


def thumbnail(path: str, *, side: int) -> ImageArray | None:
    """Read an image as something to look at, no larger than ``side``; None if it cannot be read any more."""
    try:
        raster = read_raster(path)
        levels = with_channels(raster, 3, path) if raster.color == "cmyk" else raster.levels
    except UserError:
        return None
    step = max(1, min(levels.shape[:2]) // (4 * side))
    image = Image.fromarray(visible(levels[::step, ::step]))
    image.thumbnail((side, side), Image.Resampling.BOX)
    return np.asarray(image)


def visible(levels: npt.NDArray[Any]) -> ImageArray:
    """Return the first three channels, or the first of one or two, as 8-bit colours; deeper ones are stretched."""
    shown = levels[:, :, :3] if levels.shape[2] > 2 else levels[:, :, 0]
    if shown.dtype != np.uint8:
        numbers = np.nan_to_num(shown.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = np.percentile(numbers, (0.5, 99.5))
        shown = (np.clip((numbers - low) / (high - low or 1.0), 0, 1) * 255).astype(np.uint8)
    return as_rgb(np.ascontiguousarray(shown))


def _blocks(checked: Sequence[Checked], mode: Mode, count: int) -> Iterator[Block]:
    """Yield what to show: A and B of pairs together, every other source for itself."""
    shown: set[str] = set()
    for one in checked:
        if one.source.name in shown:
            continue
        sources = [one]
        if mode == "aligned" and one.source.side:
            sources = [other for other in checked if other.source.phase == one.source.phase and other.source.side]
        shown |= {source.source.name for source in sources}
        halved = mode == "aligned" and not one.source.side
        yield _chosen(sources, count, span=2 if halved else len(sources))


def _chosen(sources: Sequence[Checked], count: int, *, span: int) -> Block:
    rows = [row for row in matched(sources).rows if all(isinstance(seen, Seen) for seen in results_of(sources, row))]
    chosen = [rows[index] for index in np.linspace(0, len(rows) - 1, min(count, len(rows))).round().astype(int)]
    cells = []
    for row in chosen:
        first = results_of(sources, row)[0]
        size = size_text((first.header.width, first.header.height)) if isinstance(first, Seen) else ""
        cells.append(Cell(paths_of(sources, row), sources[0].source.files.relative(row[0]), size))
    heading = " + ".join(one.source.name for one in sources)
    return Block(f"{heading}: {len(chosen)} of {len(rows):,}", span, cells)


def _block(block: Block, images: Mapping[str, ImageArray]) -> Image.Image:
    """Draw the heading and the rows of cells of one height each."""
    per_row = max(1, WIDTH // block.span)
    width = (CELL + GAP) * block.span
    drawn = [_cell(cell, images, block.span) for cell in block.cells]
    rows = [drawn[start : start + per_row] for start in range(0, len(drawn), per_row)]
    heights = [max(cell.height for cell in row) for row in rows]
    canvas = Image.new("RGB", (max(WIDTH, block.span) * (CELL + GAP) + GAP, 2 * HEADING + sum(heights)), "white")
    font = ImageFont.load_default(HEADING)
    ImageDraw.Draw(canvas).text((GAP, HEADING), block.heading, fill="black", font=font, anchor="lm")
    top = 2 * HEADING
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            canvas.paste(cell, (GAP + column * width, top))
        top += height
    return canvas


def _cell(cell: Cell, images: Mapping[str, ImageArray], span: int) -> Image.Image:
    """Draw the images of a cell side by side, and name and size below."""
    room = span * (CELL + GAP) - GAP
    share = room // len(cell.files)
    small = [ImageOps.contain(Image.fromarray(images[path]), (share, CELL)) for path in cell.files if path in images]
    height = max((image.height for image in small), default=0)
    canvas = Image.new("RGB", (room, height + 3 * TEXT + GAP), "white")
    left = 0
    for image in small:
        canvas.paste(image, (left, 0))
        left += image.width
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(TEXT)
    for line, text in enumerate((cell.name, cell.size)):
        place = (0, height + (line + 0.8) * 1.2 * TEXT)
        draw.text(place, _fitting(text, room, font), fill=INK, font=font, anchor="lm")
    return canvas


def _fitting(label: str, room: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Leave out the middle of a label that is too long."""
    keep = len(label)
    text = label
    while font.getlength(text) > room and keep > 2:
        keep -= 1
        text = f"{label[: keep // 2]}..{label[-(keep - keep // 2) :]}"
    return text
