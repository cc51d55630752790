"""Lists of files instead of folders: a ``.txt`` with a path in each line, or a ``.csv`` with columns such as A, B."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest
from typing import TextIO

from data.files.path_list import PathList
from options.errors import NoImagesError, UserError

ENDINGS = (".txt", ".csv")


def is_list(path: str) -> bool:
    """Tell a list of files from a folder, by its name."""
    return path.lower().endswith(ENDINGS) and not os.path.isdir(path)


@dataclass(frozen=True)
class Table:
    """Paths by column (names in lower case), row by row; an empty cell is no path. A ``.txt`` has one column, a."""

    path: str
    columns: dict[str, list[str]]

    def files(self, name: str, rows: Iterable[int] | None = None) -> PathList:
        """Return the paths of a column, relative ones below the folder of the list.

        Args:
            rows: those to take; None takes all that are not empty.
        """
        cells = self.columns[name]
        chosen = [cell for cell in cells if cell] if rows is None else [cells[row] for row in rows]
        return PathList.of(os.path.dirname(os.path.abspath(self.path)), chosen)


def read_table(path: str, phase: str, *, needs_phases: bool = False) -> Table:
    """Read a list.

    Args:
        phase: rows with another word in the column ``phase``, if there is one, are left out.
        needs_phases: a list without that column has nothing for this phase.

    Raises:
        NoImagesError: there is no such file, or no row for the phase.
        UserError: the list cannot be read.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if path.lower().endswith(".csv"):
                columns = _columns(file, path)
            else:
                columns = {"a": [line.strip("\r\n") for line in file]}
    except FileNotFoundError as error:
        raise NoImagesError(f"there is no file {path}; check --dataroot") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read the list {path} ({error}); write one path a line, in UTF-8") from error
    phases = columns.pop("phase", None)
    if phases is None and needs_phases:
        raise NoImagesError(f"the list {path} has no column phase, which would say which images are of phase {phase}")
    if phases is not None and "" in phases:
        raise UserError(f"line {phases.index('') + 2} of {path} names no phase; write train, val or test there")
    chosen = [
        row
        for row, cells in enumerate(zip(*columns.values(), strict=True))
        if any(cells) and (phases is None or phases[row] == phase)
    ]
    if not chosen:
        raise NoImagesError(f"the list {path} names no images of phase {phase}; add some, or pass another --phase")
    return Table(path, {name: [cells[row] for row in chosen] for name, cells in columns.items()})


def _columns(file: TextIO, path: str) -> dict[str, list[str]]:
    """Read comma, semicolon or tab separated lines under a line of names."""
    head = file.readline()
    separator = max(",;\t", key=head.count)
    names = [name.strip().lower() for name in next(csv.reader([head], delimiter=separator), [])]
    columns: dict[str, list[str]] = {name: [] for name in names}
    for number, row in enumerate(csv.reader(file, delimiter=separator), start=2):
        if len(row) > len(names):
            raise UserError(f"line {number} of {path} has {len(row)} cells, but the first line names {len(names)}")
        for name, cell in zip_longest(names, row, fillvalue="") if row else ():
            columns[name].append(cell.strip())
    return columns
