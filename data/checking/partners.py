"""What belongs together: pairs of A and B, and stacks of A1, A2 ...; and what a data set seems to be made for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Literal, NamedTuple

from data.checking.findings import Checked, Finding, Item, files
from data.checking.one_file import Seen
from data.checking.summary import size_text

Mode = Literal["unaligned", "aligned", "single", "colorization"]

WIDE = 1.5  # times the height: two images side by side


class Matched(NamedTuple):
    """Files of several sources brought together.

    Attributes:
        rows: positions of partners, one for each source.
        alone: source and position of files that lack a partner.
        twice: source and positions of files that differ in their ending alone.
    """

    rows: list[tuple[int, ...]]
    alone: list[tuple[int, int]]
    twice: list[tuple[int, tuple[int, ...]]]


def match(sources: Sequence[Checked]) -> Matched:
    """Bring partners together, by name or by row."""
    tables: list[dict[str, list[int]]] = []
    for checked in sources:
        table: dict[str, list[int]] = {}
        for position, key in enumerate(checked.source.keys()):
            table.setdefault(key, []).append(position)
        tables.append(table)
    common = set(tables[0]).intersection(*tables[1:])
    rows = [tuple(table[key][0] for table in tables) for key in tables[0] if key in common]
    alone = [
        (number, position)
        for number, table in enumerate(tables)
        for key, positions in table.items()
        if key not in common
        for position in positions
    ]
    twice = [
        (number, tuple(positions))
        for number, table in enumerate(tables)
        for positions in table.values()
        if len(positions) > 1
    ]
    return Matched(rows, alone, twice)


def guess_mode(checked: Sequence[Checked]) -> Mode:
    """Tell from folders, names and sizes what the data set seems to be made for."""
    first = [one for one in checked if one.source.phase == checked[0].source.phase]
    A, B = (next((one for one in first if one.source.side == side), None) for side in "AB")
    if A and B:
        return "aligned" if _seem_paired(A, B) else "unaligned"
    if A or B:
        return "unaligned"
    if not checked[0].source.phase:
        return "single"
    ratios = [seen.header.width / seen.header.height for _, seen in first[0].readable()]
    return "aligned" if not ratios or median(ratios) >= WIDE else "colorization"


def of_partners(checked: Sequence[Checked], mode: Mode) -> Iterator[Finding]:
    """Yield what is wrong between sources that belong together."""
    for phase in dict.fromkeys(one.source.phase for one in checked):
        sides = {
            side: [one for one in checked if one.source.phase == phase and one.source.side == side] for side in "AB"
        }
        for stack in sides.values():
            if len(stack) > 1:
                yield from _between(stack, "problem", "stacked files need one size")
        if all(sides.values()):
            if mode == "aligned":
                pairs = [sides["A"][0], sides["B"][0]]
                yield from _between(pairs, "warning", "only --preprocess resize_and_crop makes them equal")
        elif phase == "train" and any(sides.values()):
            there, missing = ("trainA", "trainB") if sides["A"] else ("trainB", "trainA")
            yield Finding("problem", "side", f"there is {there} but no {missing}")


def unequal_pairs(checked: Sequence[Checked]) -> bool:
    """Tell whether some A and B differ in size."""
    for phase in {one.source.phase for one in checked}:
        pair = [one for one in checked if one.source.phase == phase and one.source.side and one.source.number < 2]
        if len(pair) == 2 and any(len(_sizes(pair, row)) > 1 for row in match(pair).rows):
            return True
    return False


def _seem_paired(A: Checked, B: Checked) -> bool:
    """Tell whether most names have partners, and most partners the same size."""
    rows = match([A, B]).rows
    equal = Counter(len(_sizes([A, B], row)) == 1 for row in rows)
    return len(rows) * 2 >= min(len(A.results), len(B.results)) and equal[True] >= equal[False]


def _between(sources: Sequence[Checked], level: Literal["problem", "warning"], why: str) -> Iterator[Finding]:
    """Yield missing partners, unclear ones, and those of unequal size."""
    names = " and ".join(one.source.name for one in sources)
    matched = match(sources)
    if matched.alone:
        items = [Item((sources[number].source.files[position],)) for number, position in matched.alone]
        yield Finding("problem", "partner", f"{files(len(items))} in {names} without a partner", items)
    if matched.twice:
        items = [
            Item(tuple(sources[number].source.files[position] for position in positions))
            for number, positions in matched.twice
        ]
        text = f"{len(items):,} names in {names} with several files, which differ in their ending alone"
        yield Finding("problem", "twice", text, items)
    unequal = [
        Item(_paths(sources, row), " and ".join(map(size_text, sizes)))
        for row in matched.rows
        if len(sizes := _sizes(sources, row)) > 1
    ]
    if unequal:
        yield Finding(level, "unequal", f"{len(unequal):,} partners in {names} of unequal size; {why}", unequal)


def _paths(sources: Sequence[Checked], row: Sequence[int]) -> tuple[str, ...]:
    return tuple(one.source.files[position] for one, position in zip(sources, row, strict=True))


def _sizes(sources: Sequence[Checked], row: Sequence[int]) -> list[tuple[int, int]]:
    """Return the different sizes of partners, without those that cannot be read."""
    seen = [one.results[position] for one, position in zip(sources, row, strict=True)]
    return list(dict.fromkeys((one.header.width, one.header.height) for one in seen if isinstance(one, Seen)))
