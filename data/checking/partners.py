"""What belongs together: pairs of A and B, and stacks of A1, A2 ...; and what a data set seems to be made for."""

from collections import Counter
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Literal

from data.checking.findings import Checked, Finding, Item, files
from data.checking.one_file import Bad, Seen
from data.pixels import size_text
from util.partners import Matched, match

Mode = Literal["unaligned", "aligned", "single", "colorization"]

WIDE = 1.5  # times the height: two images side by side


def matched(sources: Sequence[Checked]) -> Matched:
    """Bring partners together, by name or by row."""
    return match([one.source.keys() for one in sources])


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
        if len(pair) == 2 and any(len(_sizes(pair, row)) > 1 for row in matched(pair).rows):
            return True
    return False


def _seem_paired(A: Checked, B: Checked) -> bool:
    """Tell whether most names have partners, and most partners the same size."""
    rows = matched([A, B]).rows
    equal = Counter(len(_sizes([A, B], row)) == 1 for row in rows)
    return len(rows) * 2 >= min(len(A.results), len(B.results)) and equal[True] >= equal[False]


def _between(sources: Sequence[Checked], level: Literal["problem", "warning"], why: str) -> Iterator[Finding]:
    """Yield missing partners, unclear ones, and those of unequal size."""
    names = " and ".join(one.source.name for one in sources)
    found = matched(sources)
    if found.alone:
        items = [Item((sources[number].source.files[position],)) for number, position in found.alone]
        yield Finding("problem", "partner", f"{files(len(items))} in {names} without a partner", items)
    if found.twice:
        items = [
            Item(tuple(sources[number].source.files[position] for position in positions))
            for number, positions in found.twice
        ]
        text = f"{len(items):,} names in {names} with several files, which differ in their ending alone"
        yield Finding("problem", "twice", text, items)
    unequal = [
        Item(paths_of(sources, row), " and ".join(map(size_text, sizes)))
        for row in found.rows
        if len(sizes := _sizes(sources, row)) > 1
    ]
    if unequal:
        yield Finding(level, "unequal", f"{len(unequal):,} partners in {names} of unequal size; {why}", unequal)


def paths_of(sources: Sequence[Checked], row: Sequence[int]) -> tuple[str, ...]:
    """Return the files of partners."""
    return tuple(one.source.files[position] for one, position in zip(sources, row, strict=True))


def results_of(sources: Sequence[Checked], row: Sequence[int]) -> list[Seen | Bad]:
    """Return what was seen of partners."""
    return [one.results[position] for one, position in zip(sources, row, strict=True)]


def _sizes(sources: Sequence[Checked], row: Sequence[int]) -> list[tuple[int, int]]:
    """Return the different sizes of partners, without those that cannot be read."""
    headers = (one.header for one in results_of(sources, row) if isinstance(one, Seen))
    return list(dict.fromkeys((header.width, header.height) for header in headers))
