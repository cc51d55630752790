"""Move files that cannot be read out of a data set."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from data.checking.findings import Checked
from data.files.listing import is_list
from options.errors import UserError


def refuse_place(target: Path, root: str) -> None:
    """Refuse a folder in which the data set's own images are looked for, and lists, which would name what is gone.

    Raises:
        UserError: ``target`` lies in ``root``, or ``root`` is a list.
    """
    if is_list(root):
        raise UserError(f"--move_bad moves files out of folders, and {root} is a list; take the bad files off the list")
    if target.resolve().is_relative_to(Path(root).resolve()):
        raise UserError(f"--move_bad {target} lies in the data set {root}; name a folder outside of it")


def move_bad(checked: Sequence[Checked], target: Path) -> int:
    """Move the damaged files to ``<target>/<source>/<name>``; return how many.

    Files that may be fine (no permission, not enough memory) stay.

    Raises:
        UserError: a file is in the way, or the disk refuses.
    """
    moves = [
        (path, target / one.source.name / _below(os.path.relpath(path, one.source.files.root)))
        for one in checked
        for path, bad in one.bad()
        if bad.damaged
    ]
    for _, place in moves:
        if os.path.lexists(place):
            raise UserError(f"{place} exists already, and nothing was moved; name another folder for --move_bad")
    for path, place in moves:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, place)
        except OSError as error:
            raise UserError(f"cannot move {path} to {place} ({error.strerror or error}); check both folders") from error
    return len(moves)


def _below(relative: str) -> str:
    """Return a name that stays below a folder: files of a list may lie anywhere."""
    return os.path.basename(relative) if relative.startswith("..") or os.path.isabs(relative) else relative
