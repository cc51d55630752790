"""Write pairs side by side, after a look at the head of every file, so that a mistake is told before the work."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from datasets.image import WRITTEN, measure, open_rgb, save, side_by_side
from datasets.parallel import for_each
from options.errors import UserError


class Pair(NamedTuple):
    """Two images and the file they are joined into."""

    a: Path
    b: Path
    ab: Path


def joined_name(a: Path, b: Path, *, ending: str = "") -> Path:
    """Name the file of a pair like its A, without ``ending``; it is a PNG unless both are of one written format."""
    kinds = {WRITTEN.get(path.suffix.lower()) for path in (a, b)}
    kept = len(kinds) == 1 and None not in kinds
    return a.with_name(a.stem.removesuffix(ending) + (a.suffix if kept else ".png"))


def combine(pairs: Sequence[Pair], *, processes: int) -> None:
    """Join all pairs.

    Raises:
        UserError: before anything is written, for images that differ in size or are more than 8-bit colours, for
            files that would be written twice or replace one of the images; later, for damaged ones.
    """
    _check_targets(pairs)
    problems = for_each(_problem, pairs, processes=processes, what="checking", unit="pair")
    wrong = [problem for problem in problems if problem]
    if wrong:
        more = f" (and {len(wrong) - 1} more pairs like it)" if len(wrong) > 1 else ""
        raise UserError(f"{wrong[0]}{more}; nothing was written")
    for_each(join, pairs, processes=processes, what="joining", unit="pair")


def join(pair: Pair) -> None:
    """Write one joined image."""
    left, right = open_rgb(pair.a), open_rgb(pair.b)
    save(side_by_side(left, right), pair.ab)


def _check_targets(pairs: Sequence[Pair]) -> None:
    sources = {os.path.realpath(path) for pair in pairs for path in (pair.a, pair.b)}
    taken: dict[str, Pair] = {}
    for pair in pairs:
        target = os.path.realpath(pair.ab)
        if target in sources:
            raise UserError(f"{pair.ab} would replace one of the images to be joined; name another folder")
        other = taken.setdefault(target, pair)
        if other is not pair:
            raise UserError(f"{other.a} and {pair.a} would both become {pair.ab}; rename one of them and its partner")


def _problem(pair: Pair) -> str:
    """Say what is wrong with a pair; empty if nothing is."""
    try:
        left, right = measure(pair.a), measure(pair.b)
    except UserError as error:
        return str(error)
    if left == right:
        return ""
    sizes = f"{left[0]}x{left[1]} and {right[0]}x{right[1]}"
    return f"{pair.a} and {pair.b} differ in size ({sizes}); make them equal first"
