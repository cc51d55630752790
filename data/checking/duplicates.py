"""Images that are there more than once, above all in training and test alike."""

from collections.abc import Callable, Iterator, Sequence

from data.checking.findings import Checked, Finding, Item
from data.checking.one_file import Seen

TRAIN = "train"
_FEWEST_BITS = 8  # of a look that says something; as few may be missing

Key = bytes | int
Place = tuple[int, int]  # source, position


def of_duplicates(checked: Sequence[Checked]) -> Iterator[Finding]:
    """Yield images with equal pixels, by where they lie, and those of training and test that look alike."""
    same: dict[tuple[int, ...], list[Item]] = {}
    for places in _groups(checked, lambda seen: None if seen.constant else seen.pixels):
        found = tuple(sorted({number for number, _ in places}))
        same.setdefault(found, []).append(_item(checked, places))
    for found, items in sorted(same.items(), key=lambda entry: not _leaks(checked, entry[0])):
        names = " and ".join(checked[number].source.name for number in found)
        if len(found) == 1:
            yield Finding("warning", "duplicate", f"{_images(len(items))} more than once in {names}", items)
        else:
            kind, why = ("leak", ": what is tested was learned") if _leaks(checked, found) else ("duplicate", "")
            yield Finding("warning", kind, f"{_images(len(items))} in {names} alike{why}", items)
    if alike := list(_alike(checked)):
        text = f"{_images(len(alike))} of the training and of other phases look alike"
        yield Finding("note", "look_alike", text, alike)


def _alike(checked: Sequence[Checked]) -> Iterator[Item]:
    for places in _groups(checked, _look):
        pixels = {seen.pixels for number, index in places if isinstance(seen := checked[number].results[index], Seen)}
        if len(pixels) > 1 and _leaks(checked, {number for number, _ in places}):
            yield _item(checked, places)


def _look(seen: Seen) -> int | None:
    return seen.look if _FEWEST_BITS <= seen.look.bit_count() <= 64 - _FEWEST_BITS else None


def _groups(checked: Sequence[Checked], key: Callable[[Seen], Key | None]) -> Iterator[list[Place]]:
    """Yield the places that share a key."""
    groups: dict[Key, list[Place]] = {}
    for number, one in enumerate(checked):
        for index, seen in enumerate(one.results):
            if isinstance(seen, Seen) and (found := key(seen)) is not None:
                groups.setdefault(found, []).append((number, index))
    return (places for places in groups.values() if len(places) > 1)


def _leaks(checked: Sequence[Checked], numbers: Sequence[int] | set[int]) -> bool:
    phases = {checked[number].source.phase for number in numbers}
    return TRAIN in phases and len(phases) > 1


def _item(checked: Sequence[Checked], places: Sequence[Place]) -> Item:
    return Item(tuple(checked[number].source.files[index] for number, index in places))


def _images(count: int) -> str:
    return f"{count:,} image{'s' * (count != 1)}"
