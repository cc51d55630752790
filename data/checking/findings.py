"""What a check finds, and what it finds in one folder alone."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from data.checking.one_file import Bad, Seen
from data.checking.sources import Source
from util.raster.kinds import FORMATS

Level = Literal["problem", "warning", "note"]  # stops a training, spoils it, is good to know


class Item(NamedTuple):
    """A file, or several that belong together, and what there is to say of it."""

    files: tuple[str, ...]
    detail: str = ""


class Finding(NamedTuple):
    """A sentence about some files.

    Attributes:
        kind: one word for programs.
    """

    level: Level
    kind: str
    text: str
    items: Sequence[Item] = ()


class Checked(NamedTuple):
    """A source and what was seen of each of its files."""

    source: Source
    results: Sequence[Seen | Bad]

    def readable(self) -> Iterator[tuple[str, Seen]]:
        """Yield the files that can be read."""
        for path, result in zip(self.source.files, self.results, strict=True):
            if isinstance(result, Seen):
                yield path, result

    def bad(self) -> Iterator[tuple[str, Bad]]:
        """Yield the files that cannot be read."""
        for path, result in zip(self.source.files, self.results, strict=True):
            if isinstance(result, Bad):
                yield path, result


def of_folder(checked: Checked, *, halved: bool) -> Iterator[Finding]:
    """Yield what is found in the files of one source.

    Args:
        halved: they are pairs side by side.
    """
    name = checked.source.name
    if bad := [Item((path,), result.reason) for path, result in checked.bad()]:
        yield Finding("problem", "unreadable", f"{files(len(bad))} in {name} cannot be read", bad)
    yield from _channels(checked)
    yield from _those(checked, lambda seen: not seen.finite, "problem", "no_numbers", "with NaN or infinite values")
    yield from _those(checked, lambda seen: seen.constant, "warning", "constant", "of one colour only")
    if halved:
        odd = "of odd width, whose right half is a column wider"
        yield from _those(checked, lambda seen: seen.header.width % 2 == 1, "warning", "odd_width", odd)
    misnamed = [
        Item((path,), seen.header.file_format)
        for path, seen in checked.readable()
        if FORMATS.get(os.path.splitext(path)[1].lower()) != seen.header.file_format
    ]
    if misnamed:
        text = f"{files(len(misnamed))} in {name} whose ending names another format; read all the same"
        yield Finding("note", "ending", text, misnamed)


def files(count: int) -> str:
    """Count files."""
    return f"{count:,} file{'s' * (count != 1)}"


def _those(checked: Checked, chosen: Callable[[Seen], bool], level: Level, kind: str, what: str) -> Iterator[Finding]:
    items = [Item((path,)) for path, seen in checked.readable() if chosen(seen)]
    if items:
        yield Finding(level, kind, f"{files(len(items))} in {checked.source.name} {what}", items)


def _channels(checked: Checked) -> Iterator[Finding]:
    """Yield a finding where no number of channels, or no range of values, fits all files."""
    if any(seen.header.color == "channels" for _, seen in checked.readable()):
        yield from _other(checked, lambda seen: f"{seen.header.channels} channels", "problem", "channels")
    yield from _other(checked, lambda seen: seen.header.dtype.name, "warning", "depth")


def _other(checked: Checked, key: Callable[[Seen], str], level: Level, kind: str) -> Iterator[Finding]:
    """Yield the files in which something is not as in most."""
    keys = [(path, key(seen)) for path, seen in checked.readable()]
    usual = Counter(found for _, found in keys).most_common(1)[0][0] if keys else ""
    if rest := [Item((path,), found) for path, found in keys if found != usual]:
        yield Finding(level, kind, f"{files(len(rest))} in {checked.source.name} unlike the others, {usual}", rest)
