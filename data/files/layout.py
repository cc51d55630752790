"""Where the files of A and B lie: in folders, in numbered folders that are stacked, or in lists."""

import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

from data.files.folder import list_images
from data.files.listing import Table, is_list, read_table
from data.files.path_list import PathList
from options.errors import UserError, first_few
from options.schema import DataOptions
from util.partners import match, pair_name

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Files:
    """The images of a domain; each is made of one file, or of several that are stacked."""

    columns: tuple[PathList, ...]

    def __len__(self) -> int:
        return len(self.columns[0])

    def __getitem__(self, index: int) -> tuple[str, ...]:
        return tuple(column[index] for column in self.columns)

    def head(self, limit: float) -> "Files":
        """Keep the first ``limit`` images."""
        count = int(min(limit, len(self)))
        return Files(tuple(column[:count] for column in self.columns))

    def take(self, rows: Sequence[int]) -> "Files":
        """Keep some of the images, in that order."""
        return Files(tuple(PathList.of(own.root, [own.relative(row) for row in rows]) for own in self.columns))


def plain_files(opt: DataOptions, phase: str, *, hint: str, columns: Sequence[str] = ("a", "path")) -> Files:
    """Find images that need no partner, below ``<root>/<phase>`` or in the rows of a list that are of the phase.

    Args:
        columns: names that the list's column may have, best first.

    Raises:
        UserError: there are none; ends with ``hint``.
    """
    if not is_list(opt.dataroot):
        return _below(os.path.join(opt.dataroot, phase), opt, hint)
    table = _table(opt, phase)
    name = next((name for name in columns if name in table.columns), None)
    if name is None:
        raise _no_column(table, columns[0])
    return Files((table.files(name),)).head(opt.max_dataset_size)


def input_files(opt: DataOptions, phase: str, side: str, *, hint: str) -> Files:
    """Find images that are to be translated, below ``--dataroot`` itself, or in a list's columns for that side.

    Where there is no folder ``inputs`` but ``inputs1``, ``inputs2`` ..., these are stacked.
    """
    root = opt.dataroot.rstrip("/")
    if is_list(root):
        of_side = any(_side_of(name) == side.lower() for name in _table(opt, phase).columns)
        return side_files(opt, phase, side) if of_side else plain_files(opt, phase, hint=hint, columns=("path", "a"))
    if os.path.isdir(root) or not os.path.isdir(f"{root}1"):
        return _below(root, opt, hint)
    return _stack(_sources(*os.path.split(root)), phase, opt, hint)


def has_two_sides(opt: DataOptions, phase: str) -> bool:
    """Tell whether pairs lie in two folders or columns; not where ``<root>/<phase>`` is there, the official layout."""
    if is_list(opt.dataroot):
        return any(_side_of(name) == "b" for name in _table(opt, phase).columns)
    if os.path.isdir(os.path.join(opt.dataroot, phase)):
        return False
    return any(_exists(source) for side in "AB" for source in _sources(opt.dataroot, phase + side))


def side_files(opt: DataOptions, phase: str, side: str, *, hint: str = "") -> Files:
    """Find the images of A or B: ``<phase>A``, or ``<phase>A1``, ``<phase>A2`` ..., which are stacked.

    Each is a folder or a ``.txt`` list. Where ``--dataroot`` is a list, they are its columns.

    Raises:
        UserError: there are none, or a stack lacks files and ``--on_missing_partner`` is ``stop``.
    """
    if is_list(opt.dataroot):
        table = _table(opt, phase)
        names = _columns(table, side)
        rows = None if len(names) == 1 else _full_rows(table, names, opt)
        return Files(tuple(table.files(name, rows) for name in names)).head(opt.max_dataset_size)
    return _stack(_sources(opt.dataroot, phase + side), phase, opt, hint)


def paired_files(opt: DataOptions, phase: str, *, hint: str) -> tuple[Files, Files]:
    """Find A and B whose files belong together by their names below their folders, or by the rows of a list.

    Raises:
        UserError: there are none, or partners are missing and ``--on_missing_partner`` is ``stop``.
    """
    if is_list(opt.dataroot):
        table = _table(opt, phase)
        sides = [_columns(table, side) for side in "AB"]
        rows = _full_rows(table, [name for names in sides for name in names], opt)
        found = [table.files(name, rows) for names in sides for name in names]
    else:
        sides = [_sources(opt.dataroot, phase + side) for side in "AB"]
        found = partners([listed(source, phase, hint=hint) for sources in sides for source in sources], opt)
    first = len(sides[0])
    A, B = Files(tuple(found[:first])), Files(tuple(found[first:]))
    return A.head(opt.max_dataset_size), B.head(opt.max_dataset_size)


def partners(columns: Sequence[PathList], opt: DataOptions) -> list[PathList]:
    """Keep the files that have a partner in every other folder, in the order of the first folder.

    Raises:
        UserError: two files of a folder differ in their ending alone; or some lack a partner, and
            ``--on_missing_partner`` is ``stop``; or all do.
    """
    names = [[column.relative(position) for position in range(len(column))] for column in columns]
    found = match([[pair_name(name) for name in column] for column in names])
    for number, (first, second, *_) in found.twice:
        paths = " and ".join(columns[number][position] for position in (first, second))
        raise UserError(f"{paths} differ in their ending alone, so partners are not clear; remove one")
    if not found.rows:
        folders = " and ".join(column.root for column in columns)
        raise UserError(
            f"no name lies in {folders} alike, so there are no pairs; give partners the same name or a row of a .csv, "
            "or, for sets without pairs, pass --dataset_mode unaligned, or --model cycle_gan"
        )
    _without_partner([columns[number][position] for number, position in found.alone], opt)
    return [
        PathList.of(column.root, [own[position] for position in positions])
        for column, own, positions in zip(columns, names, zip(*found.rows, strict=True), strict=True)
    ]


def _below(folder: str, opt: DataOptions, hint: str) -> Files:
    return Files((list_images(folder, opt.max_dataset_size, hint=hint),))


def _table(opt: DataOptions, phase: str) -> Table:
    """Read the list that ``--dataroot`` names; for held-out images it must tell phases apart."""
    return read_table(opt.dataroot, phase, needs_phases=phase != opt.phase)


def _sources(root: str, name: str) -> list[str]:
    """Return the folders or lists of one side: ``trainA``, or ``trainA1``, ``trainA2`` ...

    Raises:
        UserError: a number is missing.
    """
    plain = os.path.join(root, name)
    entries = os.listdir(root or ".") if os.path.isdir(root or ".") else []
    matches = [re.fullmatch(re.escape(name) + r"([0-9]+)(?:\.txt)?", entry) for entry in entries]
    numbers = sorted({int(match[1]) for match in matches if match and _exists(f"{plain}{match[1]}")})
    if numbers and _exists(plain):
        log.warning("%s%d is not read, because %s is there", plain, numbers[0], plain)
    if not numbers or _exists(plain):
        return [plain]
    if numbers != list(range(1, len(numbers) + 1)):
        found = ", ".join(f"{name}{number}" for number in numbers)
        raise UserError(f"stacked folders are numbered from 1 without gaps, but {root} holds {found}; rename them")
    return [f"{plain}{number}" for number in numbers]


def _stack(sources: Sequence[str], phase: str, opt: DataOptions, hint: str) -> Files:
    """Return the images of one folder, or those of several stacked by name."""
    columns = [listed(source, phase, hint=hint) for source in sources]
    return Files(tuple(partners(columns, opt) if len(columns) > 1 else columns)).head(opt.max_dataset_size)


def _exists(source: str) -> bool:
    return os.path.isdir(source) or os.path.isfile(source + ".txt")


def listed(source: str, phase: str, *, hint: str) -> PathList:
    """List the images of a folder, or those of the ``.txt`` in its place."""
    if not os.path.isdir(source) and os.path.isfile(source + ".txt"):
        return read_table(source + ".txt", phase).files("a")
    return list_images(source, float("inf"), hint=hint)


def _columns(table: Table, side: str) -> list[str]:
    """Return the names of the columns of one side: a, or a1, a2 ..."""
    found = [name for name in table.columns if _side_of(name) == side.lower()]
    if not found:
        raise _no_column(table, side)
    return [side.lower()] if side.lower() in found else sorted(found, key=lambda name: int(name[1:]))


def _no_column(table: Table, name: str) -> UserError:
    return UserError(
        f"the list {table.path} has no column {name.upper()}, only {', '.join(table.columns)}; its first line names "
        "the columns: A and B (or A1, A2 ..., which are stacked), or AB for pairs side by side"
    )


def _side_of(name: str) -> str:
    """Return a or b of a column such as a, b, a1, b12; nothing of others."""
    return name[0] if re.fullmatch(r"[ab][0-9]*", name) else ""


def _full_rows(table: Table, names: Sequence[str], opt: DataOptions) -> list[int]:
    """Return the rows in which every one of the columns names a file."""
    rows = range(len(table.columns[names[0]]))
    full = [row for row in rows if all(table.columns[name][row] for name in names)]
    cells = [[table.columns[name][row] for name in names] for row in sorted(set(rows) - set(full))]
    _without_partner([next(cell for cell in row if cell) for row in cells if any(row)], opt)
    if not full:
        raise UserError(f"no row of {table.path} has all of {', '.join(names).upper()}; pairs need every cell")
    return full


def _without_partner(alone: Sequence[str], opt: DataOptions) -> None:
    """Refuse files without a partner, or say how many are left out."""
    if not alone:
        return
    text = f"{len(alone)} files have no partner: {first_few(sorted(alone))}"
    if opt.on_missing_partner == "stop":
        raise UserError(f"{text}; add the partners, or leave these out with --on_missing_partner skip")
    log.warning("%s; left out", text)
