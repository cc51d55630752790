"""Many images on one: rows of labelled images."""

from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from util.images import ImageArray

WIDTH = 1200  # pixels at most, unless asked for
SMALLEST_CELL = 192  # pixels
TALLEST = 4  # times the width of a cell
PADDING = 4  # pixels of white around each image
TEXT = "#444444"


def sheet(rows: Sequence[Mapping[str, ImageArray]], caption: str, *, width: int | None = None) -> ImageArray:
    """Put images on white, each row's labels above it unless the row before has the same.

    Args:
        rows: images by label; they may differ in size, and are scaled to columns of one width.
        caption: the line below.
        width: of the sheet, in pixels; by default as wide as its images, within limits.

    Returns:
        H x W x 3.
    """
    columns = max(len(row) for row in rows)
    if width is None:
        natural = max(image.shape[1] for row in rows for image in row.values())
        width = min(WIDTH, columns * (max(natural, SMALLEST_CELL) + PADDING) + PADDING)
    cell = max(1, (width - PADDING) // columns - PADDING)
    size = max(14, width // 50)
    strip = round(1.6 * size)
    scaled = [[_scaled(image, cell) for image in row.values()] for row in rows]
    labels = [list(row) if index == 0 or list(row) != list(rows[index - 1]) else [] for index, row in enumerate(rows)]
    heights = [max(image.height for image in row) for row in scaled]
    total = sum(heights) + PADDING * (len(rows) + 1) + strip * (1 + sum(bool(names) for names in labels))
    canvas = Image.new("RGB", (width, total), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(size)
    top = PADDING
    for images, names, height in zip(scaled, labels, heights, strict=True):
        lefts = [PADDING + column * (cell + PADDING) for column in range(columns)]
        for left, name in zip(lefts, names, strict=False):
            draw.text((left + cell / 2, top + strip / 2 - 2), name, fill=TEXT, font=font, anchor="mm")
        top += strip if names else 0
        for left, image in zip(lefts, images, strict=False):
            canvas.paste(image, (left, top))
        top += height + PADDING
    draw.text((PADDING, total - strip / 2 - 2), caption, fill=TEXT, font=font, anchor="lm")
    return np.asarray(canvas)


def in_rows(images: Mapping[str, ImageArray], columns: int) -> list[dict[str, ImageArray]]:
    """Lay labelled images out row by row."""
    items = list(images.items())
    return [dict(items[start : start + columns]) for start in range(0, len(items), columns)]


def _scaled(pixels: ImageArray, width: int) -> Image.Image:
    image = Image.fromarray(pixels).convert("RGB")
    scale = min(width / image.width, TALLEST * width / image.height)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image if size == image.size else image.resize(size, Image.Resampling.LANCZOS)
