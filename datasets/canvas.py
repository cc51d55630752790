"""A supersampled drawing surface that records, beside the colours, which part each pixel belongs to."""

from collections.abc import Iterable
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from datasets.shapes import Points

Colour = tuple[int, int, int]
INK: Colour = (44, 32, 34)  # of stripes


class Label(IntEnum):
    """What a pixel shows, and its colour in a label map."""

    colour: Colour

    def __new__(cls, number: int, colour: Colour) -> "Label":
        """Give the label of a number its colour."""
        label = int.__new__(cls, number)
        label._value_, label.colour = number, colour
        return label

    SKY = 0, (0, 160, 255)
    SUNSET_SKY = 1, (255, 140, 90)
    NIGHT_SKY = 2, (20, 20, 110)
    SEA = 3, (0, 90, 170)
    SUN = 4, (255, 255, 0)
    CLOUD = 5, (200, 235, 255)
    FAR_HILL = 6, (90, 120, 140)
    NEAR_HILL = 7, (0, 110, 80)
    GRASS = 8, (60, 200, 60)
    SAND = 9, (240, 210, 120)
    SNOW = 10, (240, 240, 255)
    WATER = 11, (0, 215, 215)
    TRUNK = 12, (120, 70, 20)
    LEAVES = 13, (0, 80, 20)
    BODY = 14, (220, 0, 0)
    LEG = 15, (140, 0, 0)
    HEAD = 16, (255, 0, 170)
    EAR = 17, (150, 0, 200)
    TAIL = 18, (255, 90, 0)
    WING = 19, (90, 0, 255)
    BEAK = 20, (255, 200, 0)
    EYE = 21, (255, 255, 255)
    PUPIL = 22, (120, 120, 120)
    STRIPE = 23, (0, 0, 0)


def mix(first: Iterable[float], second: Iterable[float], share: float) -> Colour:
    """Blend two colours; ``share`` is how much of the second."""
    r, g, b = (min(255, max(0, round(p + (q - p) * share))) for p, q in zip(first, second, strict=True))
    return r, g, b


class Canvas:
    """A square to paint on in units of its side: (0, 0) is the top left, (1, 1) the bottom right."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.scale = 4 if size <= 128 else 3 if size <= 256 else 2  # drawn pixels to a finished one, along a side
        self.side = size * self.scale
        self.colours = Image.new("RGB", (self.side, self.side))
        self.labels = Image.new("L", (self.side, self.side))
        self.parts = Image.new("L", (self.side, self.side))  # 0 where no stripes may go
        self.stripes: NDArray[np.bool_] = np.zeros((self.side, self.side), bool)

    def _pixels(self, points: Points) -> list[tuple[float, float]]:
        return [(float(x), float(y)) for x, y in points * self.side]

    def fill(self, points: Points, colour: Colour, label: Label, *, part: int = 0) -> None:
        """Paint a closed shape; a ``part`` number above 0 lets stripes be put on it later."""
        corners = self._pixels(points)
        ImageDraw.Draw(self.colours).polygon(corners, fill=colour)
        ImageDraw.Draw(self.labels).polygon(corners, fill=int(label))
        ImageDraw.Draw(self.parts).polygon(corners, fill=part)

    def fade(self, points: Points, top: Colour, bottom: Colour, *, label: Label) -> None:
        """Paint a closed shape whose colour runs from its ``top`` to the bottom of the image."""
        corners = self._pixels(points)
        first = max(0, int(min(y for _, y in corners)))
        share = np.clip((np.arange(self.side) - first) / max(1, self.side - first), 0, 1)[:, None]
        column = np.asarray(top) * (1 - share) + np.asarray(bottom) * share
        ramp = Image.fromarray(column.round().astype(np.uint8)[:, None]).resize((self.side, self.side))
        mask = Image.new("1", (self.side, self.side))
        ImageDraw.Draw(mask).polygon(corners, fill=1)
        self.colours.paste(ramp, mask=mask)
        self.labels.paste(int(label), mask=mask)

    def glaze(self, points: Points, colour: Colour, opacity: float) -> None:
        """Tint a closed shape; labels stay as they are (glows, shadows)."""
        mask = Image.new("L", (self.side, self.side))
        ImageDraw.Draw(mask).polygon(self._pixels(points), fill=round(255 * opacity))
        self.colours.paste(colour, mask=mask)

    def outline(self, points: Points, colour: Colour, label: Label, width: float) -> None:
        """Paint a line around a shape, ``width`` wide on each side of its edge; it takes no stripes."""
        corners = self._pixels(points)
        corners = [*corners, *corners[:2]]
        thick = max(1, round(2 * width * self.side))
        for image, fill in ((self.colours, colour), (self.labels, int(label)), (self.parts, 0)):
            ImageDraw.Draw(image).line(corners, fill=fill, width=thick, joint="curve")

    def shade(self, first: Label, last: Label, *, top: float, bottom: float) -> None:
        """Light the pixels whose label is in first..last from above, between two heights."""
        rows = slice(max(0, int(top * self.side)), max(1, min(self.side, int(bottom * self.side) + 1)))
        labels = np.asarray(self.labels)[rows]
        pixels = np.array(self.colours)
        light = np.linspace(1.07, 0.86, labels.shape[0])[:, None, None]
        lit = np.clip(pixels[rows] * light, 0, 255).astype(np.uint8)
        inside = ((labels >= first) & (labels <= last))[..., None]
        pixels[rows] = np.where(inside, lit, pixels[rows])
        self.colours = Image.fromarray(pixels)

    def image(self, *, striped: bool) -> Image.Image:
        """Give the finished image; both versions agree outside the stripes to the last bit."""
        image = self.colours.copy()
        if striped:
            image.paste(INK, mask=Image.fromarray(self.stripes))
        return image.reduce(self.scale)

    def label_map(self, *, striped: bool) -> Image.Image:
        """Give the flat label image, one colour per part and no blended edges."""
        labels = np.array(self.labels)
        if striped:
            labels[self.stripes] = Label.STRIPE
        middle = self.scale // 2
        table = np.array([label.colour for label in Label], dtype=np.uint8)
        return Image.fromarray(table[labels[middle :: self.scale, middle :: self.scale]])
