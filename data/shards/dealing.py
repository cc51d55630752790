"""Deal the samples of an epoch to processes, and in each to lanes that are read from front to back.

Sample i goes to process ``i % processes``, and there the batches go to the lanes in turns. As the number of loading
processes divides that of the lanes, each lane is read by one of them alone.
"""

from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple


class Part(NamedTuple):
    """Where a lane begins and ends in the epoch's row of samples."""

    start: int
    stop: int


@dataclass(frozen=True)
class Dealing:
    """A one-to-one map of ``range(length)``: from sample numbers to places in a row that holds lane after lane."""

    length: int
    batch_size: int
    processes: int
    lanes: int  # of a process

    def place(self, index: int) -> int:
        """Return the place of a sample."""
        within_process, process = divmod(index, self.processes)
        batch, within_batch = divmod(within_process, self.batch_size)
        turn, lane = divmod(batch, self.lanes)
        return self._starts[process * self.lanes + lane] + turn * self.batch_size + within_batch

    def part(self, place: int) -> Part:
        """Return the lane that a place lies in."""
        lane = bisect_right(self._starts, place) - 1
        return Part(self._starts[lane], self._starts[lane + 1])

    @cached_property
    def _starts(self) -> list[int]:
        """Where each lane begins, and the end of the last."""
        sizes = [self._size(process, lane) for process in range(self.processes) for lane in range(self.lanes)]
        return list(accumulate(sizes, initial=0))

    def _size(self, process: int, lane: int) -> int:
        own = -(-max(0, self.length - process) // self.processes)  # samples of the process
        turns, left = divmod(own, self.batch_size * self.lanes)
        return turns * self.batch_size + min(max(0, left - lane * self.batch_size), self.batch_size)
