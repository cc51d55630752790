"""Find everything in a data set that a training or a test may read: folders, lists, or the images of one folder."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from data.files.folder import list_images
from data.files.layout import listed
from data.files.listing import Table, is_list, read_table
from data.files.path_list import PathList
from options.errors import UserError
from util.partners import pair_name
from util.raster.kinds import EXTENSIONS

PHASES = ("train", "val", "test")
_NAME = re.compile(r"(?P<phase>.+?)(?P<side>[AB])(?P<number>[1-9][0-9]*)?")

Side = Literal["", "A", "B"]  # "": pairs side by side, or images without a partner


class Source(NamedTuple):
    """The images of a folder or of a column of a list.

    Attributes:
        name: as reports call it: trainA, train ...
        phase: train, val, test or another word; empty for a plain folder.
        number: of A1, A2 ..., which are stacked; 0 where there is one alone.
        rows: of the list, for each file; None where partners have the same name instead.
    """

    name: str
    phase: str
    side: Side
    number: int
    files: PathList
    rows: Sequence[int] | None = None

    def keys(self) -> list[str]:
        """Return for each file what its partner has alike: the row, or the name below the folder without its ending."""
        if self.rows is not None:
            return [str(row) for row in self.rows]
        return [pair_name(self.files.relative(index)) for index in range(len(self.files))]


class Found(NamedTuple):
    """What a data set consists of.

    Attributes:
        empty: for each folder or list that holds no images or cannot be listed, why.
        unread: files by their ending that are no images, for each folder.
        other: folders that no phase is named after.
    """

    sources: list[Source]
    empty: dict[str, str]
    unread: dict[str, Counter[str]]
    other: list[str]


def find_sources(root: str) -> Found:
    """Find the sources of a data set.

    Args:
        root: as ``--dataroot`` gives it: a folder or a list.

    Raises:
        UserError: there is nothing to check.
    """
    if is_list(root):
        return Found(list(_columns(root)), {}, {}, [])
    if not os.path.isdir(root):
        raise UserError(f"there is no folder {root}; give the data set's folder, or its .csv or .txt list")
    names = _phase_names(root)
    if not names:
        files = list_images(root, float("inf"), hint="give a folder with trainA and trainB, with train, or of images")
        base = os.path.basename(os.path.abspath(root)) or root
        return Found([Source(base, "", "", 0, files)], {}, {base: unread_files(root)}, [])
    found = Found([], {}, {}, sorted(set(_folders(root)) - set(names)))
    for name in names:
        try:
            phase, side, number = _parsed(name)
            files = listed(os.path.join(root, name), phase, hint="put images into it or remove it")
            found.sources.append(Source(name, phase, side, number, files))
        except UserError as error:
            found.empty[name] = str(error)
        found.unread[name] = unread_files(os.path.join(root, name))
    if not found.sources:
        raise UserError(next(iter(found.empty.values())))
    return found


def unread_files(folder: str) -> Counter[str]:
    """Count the files below a folder, by their endings, that nothing reads; hidden ones are left out."""
    counts: Counter[str] = Counter()
    for _, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        shown = (name for name in names if not name.startswith("."))
        counts.update(os.path.splitext(name)[1] for name in shown if not name.lower().endswith(EXTENSIONS))
    return counts


def _phase_names(root: str) -> list[str]:
    """Return the names of the folders and lists that belong to a phase: train first, then val and test."""
    lists = [name[:-4] for name in os.listdir(root) if name.endswith(".txt")]
    names = {*_folders(root), *(name for name in lists if _parsed(name)[1])}
    parts = {name: _parsed(name) for name in names}
    phases = {*PHASES, *(phase for phase, side, _ in parts.values() if side and {f"{phase}A", f"{phase}B"} <= names)}
    chosen = [
        name
        for name, (phase, side, number) in parts.items()
        if phase in phases and not (number and phase + side in names)  # nothing reads trainA1 beside trainA
    ]
    ranks = {phase: rank for rank, phase in enumerate(PHASES)}
    return sorted(chosen, key=lambda name: (ranks.get(parts[name][0], len(PHASES)), *parts[name]))


def _folders(root: str) -> list[str]:
    return [entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith(".")]


def _parsed(name: str) -> tuple[str, Side, int]:
    """Return phase, side and number."""
    match = _NAME.fullmatch(name)
    if match is None or name in PHASES:
        return name, "", 0
    return match["phase"], "A" if match["side"] == "A" else "B", int(match["number"] or 0)


def _columns(path: str) -> Iterator[Source]:
    """Yield the columns of a list for every phase that it knows."""
    tables = dict(_tables(path))
    if len(tables) == len(PHASES) and len({str(table.columns) for table in tables.values()}) == 1:
        tables = {"": tables["train"]}  # it does not tell phases apart
    for phase, table in tables.items():
        for column in table.columns:
            rows = [row for row, cell in enumerate(table.columns[column]) if cell]
            if rows:
                _, side, number = _parsed("x" + column.upper()) if len(table.columns) > 1 else ("", "", 0)
                name = f"{phase} {column.upper() if side else column}".strip()
                yield Source(name, phase, side, number, table.files(column, rows), rows)


def _tables(path: str) -> Iterator[tuple[str, Table]]:
    refused: list[UserError] = []
    for phase in PHASES:
        try:
            yield phase, read_table(path, phase)
        except UserError as error:
            refused.append(error)
    if len(refused) == len(PHASES):
        raise refused[0]
