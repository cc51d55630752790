"""An image in overlapping tiles, each translated by itself and faded into its neighbours.

Fast and with any network; but every tile has norms of its own, so brightness may differ from that of the whole.
"""

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from inference.large.box import Box

OVERLAP = 8  # the part of a tile's side that it shares with each neighbour is one over this
LEAST_OVERLAP = 32  # pixels


def blended(height: int, width: int, side: int, translate: Callable[[Box], Tensor]) -> Iterator[tuple[Box, Tensor]]:
    """Yield a translated image from top to bottom: boxes as wide as it and what is in them, 1 x C x h x w.

    Args:
        side: of a tile, pixels.
        translate: returns a tile, 1 x C x h x w on the CPU.
    """
    rows, columns = _places(height, side), _places(width, side)
    band, weight = torch.empty(0), torch.empty(0)
    done = 0
    for number, (top, bottom) in enumerate(rows):
        for left, right in columns:
            tile = translate(Box(top, bottom, left, right))
            if not len(band):
                band = torch.zeros((1, tile.shape[1], max(b - t for t, b in rows), width))
                weight = torch.zeros((1, 1, band.shape[2], width))
            window = _ramp(top, bottom, rows)[:, None] * _ramp(left, right, columns)
            band[:, :, : bottom - top, left:right] += tile * window
            weight[:, :, : bottom - top, left:right] += window
        until = rows[number + 1][0] if number + 1 < len(rows) else height
        count = until - done
        yield Box(done, until, 0, width), band[:, :, :count] / weight[:, :, :count]
        for values in (band, weight):
            rest = values[:, :, count:].clone()
            values[:, :, : rest.shape[2]] = rest
            values[:, :, rest.shape[2] :] = 0
        done = until


def _places(length: int, side: int) -> list[tuple[int, int]]:
    """Spread tiles evenly, so that neighbours share at least an eighth."""
    if length <= side:
        return [(0, length)]
    overlap = min(side // 2, max(LEAST_OVERLAP, side // OVERLAP))
    count = math.ceil((length - overlap) / (side - overlap))
    starts = [round(place * (length - side) / (count - 1)) for place in range(count)]
    return [(start, start + side) for start in starts]


def _ramp(start: int, stop: int, places: list[tuple[int, int]]) -> Tensor:
    """Return weights that rise from 0 where the tile before still reaches, and fall to 0 in the one behind."""
    index = places.index((start, stop))
    weight = torch.ones(stop - start)
    if index:
        shared = places[index - 1][1] - start
        weight[:shared] = _rise(shared)
    if index + 1 < len(places):
        shared = stop - places[index + 1][0]
        weight[-shared:] = _rise(shared).flip(0)
    return weight


def _rise(length: int) -> Tensor:
    place: Tensor = (torch.arange(length) + 0.5) / length
    return torch.sin(place * math.pi / 2) ** 2
