"""Many images in few words: how many, how large, of what kind."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from util.raster.header import Header

Size = tuple[int, int]  # width, height

_DEPTHS = {
    "uint8": "",
    "uint16": " 16-bit",
    "int16": " signed 16-bit",
    "uint32": " 32-bit",
    "int32": " signed 32-bit",
    "float32": " float",
}


@dataclass
class Summary:
    """What a set of images consists of."""

    sizes: Counter[Size] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, headers: Iterable[Header]) -> "Summary":
        """Count the headers."""
        summary = cls()
        for header in headers:
            summary.sizes[header.width, header.height] += 1
            summary.formats[header.file_format] += 1
            summary.kinds[kind_of(header)] += 1
        return summary

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


def size_text(size: Size) -> str:
    """Write a size as people type it."""
    return f"{size[0]}x{size[1]}"


def counted(counts: Counter[str]) -> str:
    """Name the only thing, or each with its number, the most frequent first."""
    if len(counts) < 2:
        return "".join(counts)
    return ", ".join(f"{count:,} {name}" for name, count in counts.most_common())
