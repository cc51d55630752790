"""Lists of files instead of folders: a ``.txt`` with a path in each line, or a ``.csv`` with columns such as A, B."""

import csv
import os
from collections.abc import Iterable
from dataclasses import dataclass

from data.files.path_list import PathList
from options.errors import UserError

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
        root = os.path.dirname(os.path.abspath(self.path))
        chosen = [cell for cell in cells if cell] if rows is None else [cells[row] for row in rows]
        return PathList.of(root, [os.path.relpath(os.path.join(root, cell), root) for cell in chosen])


def read_table(path: str, phase: str) -> Table:
    """Read a list.

    Args:
        phase: rows with another word in the column ``phase``, if there is one, are left out.

    Raises:
        UserError: the list cannot be read, or has no row for the phase.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if path.lower().endswith(".csv"):
                rows = _rows(file.readlines(), path)
            else:
                rows = [{"a": line.strip("\r\n")} for line in file]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read the list {path} ({error}); write one path a line, in UTF-8") from error
    rows = [row for row in rows if row.get("phase", phase) in (phase, "") and any(row.values())]
    if not rows:
        raise UserError(f"the list {path} names no images of phase {phase}; add some, or pass another --phase")
    return Table(path, {name: [row[name] for row in rows] for name in rows[0] if name != "phase"})


def _rows(lines: list[str], path: str) -> list[dict[str, str]]:
    """Read comma, semicolon or tab separated lines under a line of names."""
    separator = max(",;\t", key=(lines or [""])[0].count)
    cells = [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    names = [name.lower() for name in cells[0]] if cells else []
    for number, row in enumerate(cells, start=1):
        if len(row) > len(names):
            raise UserError(f"line {number} of {path} has {len(row)} cells, but the first line names {len(names)}")
    return [dict(zip(names, row + [""] * (len(names) - len(row)), strict=True)) for row in cells[1:]]
