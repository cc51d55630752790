"""Many images in few words: how many, how large, of what kind."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from data.pixels import Size, size_text
from util.raster.kinds import Header

_DEPTHS = {
    "uint8": "",
    "uint16": " 16-bit",
    "int16": " signed 16-bit",
    "uint32": " 32-bit",
    "int32": " signed 32-bit",
    "float32": " float",
}


class Summary(NamedTuple):
    """What a set of images consists of."""

    sizes: Counter[Size]
    formats: Counter[str]
    kinds: Counter[str]

    @classmethod
    def of(cls, headers: Sequence[Header]) -> "Summary":
        """Count the headers."""
        sizes = Counter((header.width, header.height) for header in headers)
        return cls(sizes, Counter(header.file_format for header in headers), Counter(map(kind_of, headers)))

    @property
    def size_text(self) -> str:
        """The size, or the smallest, the middle one and the largest by area."""
        if len(self.sizes) < 2:
            return "".join(map(size_text, self.sizes))
        ordered = sorted(self.sizes.elements(), key=lambda size: (size[0] * size[1], size))
        low, middle, high = (size_text(ordered[index]) for index in (0, len(ordered) // 2, -1))
        return f"{low} to {high} (median {middle}, {len(self.sizes)} sizes)"

    @property
    def shape_text(self) -> str:
        """Landscape, portrait or square; with counts if mixed."""
        shapes: Counter[str] = Counter()
        for (width, height), count in self.sizes.items():
            shapes["square" if width == height else "landscape" if width > height else "portrait"] += count
        return counted(shapes)


def kind_of(header: Header) -> str:
    """Name colour and depth: rgb, gray 16-bit, 5 channels float ..."""
    color = f"{header.channels} channels" if header.color == "channels" else header.color
    return color + _DEPTHS.get(header.dtype.name, f" {header.dtype.name}")


def counted(counts: Counter[str]) -> str:
    """Name the only thing, or each with its number, the most frequent first."""
    if len(counts) < 2:
        return "".join(counts)
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
