"""Feature maps that are never there as a whole: whoever reads a part of one has that part computed.

A part needs a margin of the map before it, which is read (and, where that is not kept, computed) along with it. So
parts equal the whole: nothing is blended and there are no seams.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inference.large.box import Box


class FeatureMap(ABC):
    """A map of ``channels`` x ``height`` x ``width``."""

    def __init__(self, channels: int, height: int, width: int) -> None:
        self.channels, self.height, self.width = channels, height, width

    @abstractmethod
    def read(self, box: Box) -> Tensor:
        """Compute a part, 1 x C x h x w; the tensor is the caller's."""


class Source(FeatureMap):
    """The network's input."""

    def __init__(self, channels: int, height: int, width: int, read: Callable[[Box], Tensor]) -> None:
        super().__init__(channels, height, width)
        self._read = read

    def read(self, box: Box) -> Tensor:
        """Return a part of the image."""
        return self._read(box)


class Rearranged(FeatureMap):
    """Some rows and columns of another map: those of a part, for example, or more, reflected at the edges.

    Neighbours must come from neighbours, or too much would be read.
    """

    def __init__(self, source: FeatureMap, rows: Tensor, columns: Tensor) -> None:
        super().__init__(source.channels, len(rows), len(columns))
        self._source, self._rows, self._columns = source, rows, columns

    def read(self, box: Box) -> Tensor:
        """Read what covers all that is needed, then pick."""
        rows, columns = self._rows[box.top : box.bottom], self._columns[box.left : box.right]
        cover = Box(int(rows.min()), int(rows.max()) + 1, int(columns.min()), int(columns.max()) + 1)
        x = self._source.read(cover)
        for dim, places, first, length in ((2, rows, cover.top, cover.height), (3, columns, cover.left, cover.width)):
            if len(places) != length or int(places[0]) != first:
                x = x.index_select(dim, (places - first).to(x.device))
        return x


class Reflected(FeatureMap):
    """A map with its points near the edges repeated beyond them, as ``nn.ReflectionPad2d`` does."""

    def __init__(self, source: FeatureMap, margin: int) -> None:
        super().__init__(source.channels, source.height + 2 * margin, source.width + 2 * margin)
        self._source, self._margin = source, margin

    def read(self, box: Box) -> Tensor:
        """Read what is within the map, with enough to reflect, and reflect the rest."""
        rows, above, below = self._span(box.top, box.bottom, self._source.height)
        columns, before, behind = self._span(box.left, box.right, self._source.width)
        x = self._source.read(Box(*rows, *columns))
        edges = (max(0, before), max(0, behind), max(0, above), max(0, below))
        if any(edges):
            x = F.pad(x, edges, mode="reflect")
        top, left = max(0, -above), max(0, -before)
        return x[:, :, top : top + box.height, left : left + box.width]

    def _span(self, start: int, stop: int, length: int) -> tuple[tuple[int, int], int, int]:
        """Return from where to where to read, and how much to reflect before and behind; negative: to leave out."""
        start, stop = start - self._margin, stop - self._margin
        first = min(max(0, start), max(0, length - 1 - self._margin))  # so that there is enough to reflect
        last = max(min(length, stop), min(length, 1 + self._margin))
        return (first, last), first - start, stop - last


class Convolved(FeatureMap):
    """A convolution with zeros around the map."""

    def __init__(self, source: FeatureMap, layer: nn.Conv2d) -> None:
        self._source, self._layer = source, _without_padding(layer)
        self._taps, self._stride, self._padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
        height, width = (
            (n + 2 * self._padding - self._taps) // self._stride + 1 for n in (source.height, source.width)
        )
        super().__init__(layer.out_channels, height, width)

    def read(self, box: Box) -> Tensor:
        """Read the margin as well, zeros where the map ends."""
        top, bottom, above, below = self._span(box.top, box.bottom, self._source.height)
        left, right, before, behind = self._span(box.left, box.right, self._source.width)
        x = self._source.read(Box(top, bottom, left, right))
        if above or below or before or behind:
            x = F.pad(x, (before, behind, above, below))
        return self._layer(x)  # type: ignore[no-any-return]

    def _span(self, start: int, stop: int, length: int) -> tuple[int, int, int, int]:
        """Return from where to where to read, and how many zeros come before and behind."""
        first = start * self._stride - self._padding
        last = (stop - 1) * self._stride - self._padding + self._taps
        return max(0, first), min(length, last), max(0, -first), max(0, last - length)


class Unconvolved(FeatureMap):
    """A transposed convolution."""

    def __init__(self, source: FeatureMap, layer: nn.ConvTranspose2d) -> None:
        self._source, self._layer = source, _without_padding(layer)
        self._taps, self._stride, self._padding = layer.kernel_size[0], layer.stride[0], int(layer.padding[0])
        more = self._taps - 2 * self._padding + layer.output_padding[0] - self._stride
        height, width = (n * self._stride + more for n in (source.height, source.width))
        super().__init__(layer.out_channels, height, width)

    def read(self, box: Box) -> Tensor:
        """Read whatever contributes."""
        top, bottom, above = self._span(box.top, box.bottom, self._source.height)
        left, right, before = self._span(box.left, box.right, self._source.width)
        y: Tensor = self._layer(self._source.read(Box(top, bottom, left, right)))
        return y[:, :, above : above + box.height, before : before + box.width]

    def _span(self, start: int, stop: int, length: int) -> tuple[int, int, int]:
        """Return from where to where to read, and how much of the result lies before what is wanted."""
        first = max(0, -(-(start + self._padding - self._taps + 1) // self._stride))
        last = min(length, (stop - 1 + self._padding) // self._stride + 1)
        return first, last, start + self._padding - first * self._stride


class Doubled(FeatureMap):
    """A map with every point four times, as ``nn.Upsample`` does."""

    def __init__(self, source: FeatureMap) -> None:
        super().__init__(source.channels, 2 * source.height, 2 * source.width)
        self._source = source

    def read(self, box: Box) -> Tensor:
        """Read half as much, double it, and leave out what was not asked for."""
        half = Box(box.top // 2, -(-box.bottom // 2), box.left // 2, -(-box.right // 2))
        x = F.interpolate(self._source.read(half), scale_factor=2.0)
        top, left = box.top % 2, box.left % 2
        return x[:, :, top : top + box.height, left : left + box.width]


class Pointwise(FeatureMap):
    """A function of every point of another map."""

    def __init__(self, source: FeatureMap, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__(source.channels, source.height, source.width)
        self._source, self._function = source, function

    def read(self, box: Box) -> Tensor:
        """Read and apply it."""
        return self._function(self._source.read(box))


class Sum(FeatureMap):
    """Two maps added."""

    def __init__(self, one: FeatureMap, other: FeatureMap) -> None:
        super().__init__(one.channels, one.height, one.width)
        self._one, self._other = one, other

    def read(self, box: Box) -> Tensor:
        """Read both."""
        return self._one.read(box) + self._other.read(box)


class Stacked(FeatureMap):
    """The channels of two maps."""

    def __init__(self, one: FeatureMap, other: FeatureMap) -> None:
        super().__init__(one.channels + other.channels, one.height, one.width)
        self._one, self._other = one, other

    def read(self, box: Box) -> Tensor:
        """Read both."""
        parts = self._one.read(box), self._other.read(box)
        return torch.cat([part.float() for part in parts], 1)


def _without_padding(layer: nn.Conv2d | nn.ConvTranspose2d) -> nn.Conv2d | nn.ConvTranspose2d:
    """Return a layer of the same weights that adds no zeros of its own."""
    bare = copy.copy(layer)
    bare.padding = (0, 0)
    if isinstance(bare, nn.ConvTranspose2d):
        bare.output_padding = (0, 0)
    return bare
