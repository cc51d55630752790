"""Is the paper's ordering there? Pair by pair, counting only differences that are larger than the seeds' spread."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

Better = Literal["higher", "lower"]
Verdict = Literal["as published", "the other way round", "within the spread"]


class Mean(NamedTuple):
    """A score over the seeds.

    Attributes:
        spread: sample standard deviation; 0 for a single seed.
    """

    value: float
    spread: float
    seeds: int


class Pair(NamedTuple):
    """Two rows of which the paper says that the first is better, and what our scores say."""

    first: str
    second: str
    verdict: Verdict


def mean(values: Sequence[float]) -> Mean:
    """Return mean and sample standard deviation."""
    return Mean(statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0, len(values))


def published_order(rows: Mapping[str, Sequence[float]], better: Better) -> list[tuple[str, str]]:
    """Return the pairs (better, worse) on which the paper's columns agree; ties and contradictions are none."""
    pairs = []
    for first, second in itertools.permutations(rows, 2):
        steps = [_ahead(a, b, better) for a, b in zip(rows[first], rows[second], strict=True)]
        if min(steps) >= 0 and max(steps) > 0:
            pairs.append((first, second))
    return pairs


def compare(order: Sequence[tuple[str, str]], ours: Mapping[str, Mean], better: Better) -> list[Pair]:
    """Return the verdict on each pair of which both rows were measured.

    A difference counts if it is larger than the larger of both rows' spreads over the seeds.
    """
    return [
        Pair(first, second, _verdict(ours[first], ours[second], better))
        for first, second in order
        if first in ours and second in ours
    ]


def _verdict(first: Mean, second: Mean, better: Better) -> Verdict:
    ahead = _ahead(first.value, second.value, better)
    if not math.isfinite(ahead) or abs(ahead) <= max(first.spread, second.spread):
        return "within the spread"
    return "as published" if ahead > 0 else "the other way round"


def _ahead(first: float, second: float, better: Better) -> float:
    """Return by how much the first is better."""
    return first - second if better == "higher" else second - first
