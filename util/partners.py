"""Which files belong together: those of one name below their folders, whatever the ending."""

import os
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple


def pair_name(relative: str) -> str:
    """Return what partners have in common: the path below their folders without its ending, letters composed."""
    return unicodedata.normalize("NFC", os.path.splitext(relative)[0])


class Matched(NamedTuple):
    """Names of several columns brought together.

    Attributes:
        rows: positions of partners, one for each column, in the order of the first.
        alone: column and position of what lacks a partner in another one.
        twice: column and positions of equal names.
    """

    rows: list[tuple[int, ...]]
    alone: list[tuple[int, int]]
    twice: list[tuple[int, tuple[int, ...]]]


def match(columns: Sequence[Sequence[str]]) -> Matched:
    """Bring equal names together; of those that a column has twice the first counts."""
    tables: list[dict[str, int]] = []
    twice: list[tuple[int, tuple[int, ...]]] = []
    for number, names in enumerate(columns):
        table: dict[str, int] = {}
        again: dict[str, list[int]] = {}
        for position, name in enumerate(names):
            if table.setdefault(name, position) != position:
                again.setdefault(name, []).append(position)
        tables.append(table)
        twice += [(number, (table[name], *more)) for name, more in again.items()]
    common = set(tables[0]).intersection(*tables[1:])
    rows = [tuple(table[name] for table in tables) for name in tables[0] if name in common]
    alone = [
        (number, position)
        for number, names in enumerate(columns)
        for position, name in enumerate(names)
        if name not in common
    ]
    return Matched(rows, alone, twice)
