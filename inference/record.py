"""Remember in a folder of translations what made each of them, and of what, so that it is known what is done."""

import json
import time
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.direction import Direction
from inference.jobs import Job
from options.errors import UserError
from util.run_folder import make_folder

RECORD = ".translated.jsonl"  # a line for each translation that was begun


def described(way: Direction, source: str, **settings: object) -> dict[str, object]:
    """Return what decides how translations look: the weights by a checksum, and the settings."""
    total = 0
    for key, tensor in sorted(way.network.state_dict().items()):
        total = zlib.crc32(tensor.cpu().numpy().astype(np.float32).tobytes(), zlib.crc32(key.encode(), total))
    return {"run": Path(source).name, "direction": way.name, "weights": f"{total:08x}", **settings}


class Record:
    """The translations in a folder.

    Args:
        made_by: what makes them now, see ``described``.

    Raises:
        UserError: the folder cannot be written.
    """

    def __init__(self, folder: Path, made_by: Mapping[str, Any]) -> None:
        self._folder, self._path, self._made_by = make_folder(folder), folder / RECORD, dict(made_by)
        self._lines = _read(self._path)

    def begin(self, job: Job) -> None:
        """Note that a file is about to be translated; it counts as done if it is newer than that."""
        line = {"target": self._name(job), "since": time.time_ns(), "by": self._made_by, **_identity(job.source)}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def remaining(self, jobs: Sequence[Job], *, overwrite: bool) -> list[Job]:
        """Return the jobs that are not done yet.

        Raises:
            UserError: there are files in the way that were made by something else, or of something else.
        """
        if overwrite:
            return list(jobs)
        there = [(job, job.existing()) for job in jobs]
        foreign = [(job, places[0]) for job, places in there if places and not self._is_done(job, places)]
        if foreign:
            raise UserError(self._in_the_way(foreign))
        return [job for job, places in there if not places]

    def _is_done(self, job: Job, places: Sequence[Path]) -> bool:
        line = self._lines.get(self._name(job), {})
        same = line.get("by") == self._made_by and _identity(job.source).items() <= line.items()
        return same and all(place.stat().st_mtime_ns >= line["since"] - 10**7 for place in places)  # coarse clocks

    def _name(self, job: Job) -> str:
        return str(job.target.relative_to(self._folder))

    def _in_the_way(self, foreign: Sequence[tuple[Job, Path]]) -> str:
        job, place = foreign[0]
        told = f"{len(foreign)} of the files to write are there already, such as {place}"
        advice = "pass --overwrite to replace them, or another folder with -o"
        line = self._lines.get(self._name(job))
        if line is None:
            return f"{told}; {advice}"
        before = line.get("by", {})
        changed = [f"{key} {before.get(key)!r}, now {value!r}" for key, value in self._made_by.items()
                   if before.get(key) != value]  # fmt: skip
        why = f"translated with other settings ({'; '.join(changed)})" if changed else "translated from another file"
        return f"{told}, {why}; {advice}"


def refuse_to_overwrite(job: Job) -> None:
    """Raise a UserError if the one file to be written is there already."""
    if there := job.existing():
        raise UserError(f"{there[0]} is there already; pass --overwrite to replace it, or another name with -o")


def _identity(source: Path) -> dict[str, Any]:
    """Return what tells a file from another, or from itself before a change."""
    status = source.stat()
    return {"source": source.name, "size": status.st_size, "changed": status.st_mtime_ns}


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the last line of each translation; a line that was cut off by a full disk is left out."""
    if not path.exists():
        return {}
    found = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
            found[line["target"]] = line
        except (ValueError, KeyError, TypeError):
            continue
    return found
