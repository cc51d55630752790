"""The samples of one epoch as a row, and a lane of it from front to back, through a shuffle buffer.

The order comes first and without reading anything: shards are permuted for each epoch, and the buffer is played through
with numbers. So a lane can begin anywhere, and reads only what is still to come; that is how a training is resumed.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np

from data.shards.dealing import Part
from data.shards.reading import Packed, Shard, ShardError, read_samples

Seed = tuple[int, ...]
DRAWS = 1024  # random numbers at a time


class Piece(NamedTuple):
    """Samples ``first`` to ``stop`` of a shard."""

    shard: Shard
    first: int
    stop: int


class Stream:
    """The samples of A, of B or of pairs. Can be sent to other processes before it is first read from."""

    def __init__(self, shards: Sequence[Shard], *, seed: Seed, buffer: int, shuffled: bool) -> None:
        """Say what an epoch consists of.

        Args:
            buffer: samples of each lane that wait in memory to come in another order.
            shuffled: whether the shards come in another order in each epoch.
        """
        self.shards, self.seed, self.buffer, self.shuffled = shards, seed, buffer, shuffled
        self.size = sum(shard.used for shard in shards)
        self._epoch: int | None = None
        self._lanes: dict[Part, Lane] = {}

    def sample(self, epoch: int, part: Part, place: int, *, again_from: int) -> Packed:
        """Return the sample at a place; fast if the one before was the last that was asked for in its lane.

        Args:
            part: the lane of the place.
            again_from: the first place that may be asked for again; what comes after it is kept.

        Raises:
            ShardError: a shard cannot be read.
        """
        if epoch != self._epoch:
            self._epoch, self._lanes = epoch, {}
        if part not in self._lanes:
            seed = (*self.seed, epoch, *part)
            self._lanes[part] = Lane(self._pieces(epoch, part), buffer=self.buffer, seed=seed)
        return self._lanes[part].sample(place - part.start, again_from=again_from - part.start)

    def _pieces(self, epoch: int, part: Part) -> list[Piece]:
        """Cut a lane out of the row: all shards, and again in another order where it is longer than they are."""
        found = []
        turn, start = part.start // self.size, part.start // self.size * self.size
        while start < part.stop:
            order = list(range(len(self.shards)))
            if self.shuffled:
                order = np.random.default_rng((*self.seed, epoch, turn)).permutation(len(self.shards)).tolist()
            for shard in (self.shards[number] for number in order):
                first, stop = max(part.start - start, 0), min(part.stop - start, shard.used)
                if first < stop:
                    found.append(Piece(shard, first, stop))
                start += shard.used
            turn += 1
        return found


class Lane:
    """A part of an epoch's row."""

    def __init__(self, pieces: Sequence[Piece], *, buffer: int, seed: Seed) -> None:
        self._pieces, self._buffer, self._seed = pieces, buffer, seed
        self._length = sum(piece.stop - piece.first for piece in pieces)
        self._next = -1
        self._order: Iterator[int] = iter(())
        self._reading: Iterator[tuple[int, Packed]] = iter(())
        self._waiting: dict[int, Packed] = {}  # by their number in the lane as it is read
        self._recent: dict[int, Packed] = {}  # by position
        self._error: ShardError | None = None

    def sample(self, position: int, *, again_from: int) -> Packed:
        """Return the sample that leaves the buffer at this position; as ``Stream.sample``."""
        if self._error:
            raise self._error
        self._recent = {place: packed for place, packed in self._recent.items() if place >= again_from}
        if position not in self._recent:
            if position != self._next:
                self._begin(position)
            self._recent[position] = self._take(next(self._order))
            self._next = position + 1
        return self._recent[position]

    def _begin(self, position: int) -> None:
        """Stand before a position, having read nothing."""
        self._order = buffered(self._length, self._buffer, np.random.default_rng(self._seed))
        wanted = np.ones(self._length, bool)
        for number in islice(self._order, position):
            wanted[number] = False
        self._waiting, self._reading = {}, self._read(wanted)

    def _take(self, number: int) -> Packed:
        try:
            while number not in self._waiting:
                arrived, packed = next(self._reading)
                self._waiting[arrived] = packed
        except ShardError as error:
            self._error = error  # once is enough: each attempt may take long
            raise
        return self._waiting.pop(number)

    def _read(self, wanted: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Iterator[tuple[int, Packed]]:
        start = 0
        for shard, first, stop in self._pieces:
            numbers = start + np.flatnonzero(wanted[start : start + stop - first])
            if len(numbers):
                in_shard = (numbers - start + first).tolist()
                yield from zip(numbers.tolist(), read_samples(shard, in_shard), strict=True)
            start += stop - first


def buffered(count: int, size: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield 0 to ``count`` - 1 as they leave a shuffle buffer, in which each makes room for a later one at random."""
    waiting = list(range(min(size, count)))
    draws = _draws(len(waiting), rng)
    for number in range(len(waiting), count):
        if waiting:
            place = next(draws)
            number, waiting[place] = waiting[place], number
        yield number
    yield from rng.permutation(waiting).tolist()


def _draws(below: int, rng: np.random.Generator) -> Iterator[int]:
    while True:
        yield from rng.integers(below, size=DRAWS).tolist()
