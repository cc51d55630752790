"""Rectangles of a map, and how a map is cut into them."""

from collections.abc import Iterator
from typing import NamedTuple


class Box(NamedTuple):
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of a map, ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        """Rows."""
        return self.bottom - self.top

    @property
    def width(self) -> int:
        """Columns."""
        return self.right - self.left


def boxes(height: int, width: int, side: int) -> Iterator[Box]:
    """Cut a map into boxes of about ``side``, row after row."""
    rows, columns = _edges(height, side), _edges(width, side)
    for top, bottom in zip(rows, rows[1:], strict=False):
        for left, right in zip(columns, columns[1:], strict=False):
            yield Box(top, bottom, left, right)


def _edges(length: int, side: int) -> list[int]:
    count = max(1, -(-length // side))
    return [round(length * place / count) for place in range(count + 1)]
