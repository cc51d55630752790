"""Remember in a folder of translations what made them, so that going on and mixing up can be told apart."""

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.direction import Direction
from inference.listing import Job
from options.errors import UserError
from util.run_folder import make_folder
from util.whole_file import whole_file

RECORD = ".translated.json"


def described(way: Direction, source: str, **settings: object) -> dict[str, object]:
    """Return what decides how translations look: the weights by a checksum, and the settings."""
    total = 0
    for key, tensor in sorted(way.network.state_dict().items()):
        total = zlib.crc32(tensor.cpu().numpy().astype(np.float32).tobytes(), zlib.crc32(key.encode(), total))
    return {"run": Path(source).name, "direction": way.name, "weights": f"{total:08x}", **settings}


def remaining(jobs: Sequence[Job], folder: Path, made_by: Mapping[str, Any], *, overwrite: bool) -> list[Job]:
    """Return the jobs that are not done yet, and note in the folder what is making it.

    Raises:
        UserError: there are files in the way that something else has made, or the folder cannot be written.
    """
    record = folder / RECORD
    before = _read(record)
    there = [] if overwrite else [(job, place) for job in jobs if (place := job.existing())]
    if there and before != dict(made_by):
        raise UserError(_in_the_way([place for _, place in there], before, made_by))
    make_folder(folder)
    with whole_file(record) as file:
        file.write(json.dumps(made_by, indent=2).encode())
    done = {job for job, _ in there}
    return [job for job in jobs if job not in done]


def refuse_to_overwrite(job: Job) -> None:
    """Raise a UserError if the one file to be written is there already."""
    if there := job.existing():
        raise UserError(f"{there} is there already; pass --overwrite to replace it, or another name with -o")


def _read(record: Path) -> Any:
    try:
        return json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no record, or none of ours: then nothing is known
        return None


def _in_the_way(places: Sequence[Path], before: Any, made_by: Mapping[str, Any]) -> str:
    told = f"{len(places)} of the files to write are there already, such as {places[0]}"
    advice = "pass --overwrite to replace them, or another folder with -o"
    if not isinstance(before, dict):
        return f"{told}; {advice}"
    changed = [
        f"{key} {before.get(key)!r}, now {value!r}" for key, value in made_by.items() if before.get(key) != value
    ]
    return f"{told}, translated with other settings ({'; '.join(changed)}); {advice}"
