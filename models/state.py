"""State files: everything a training needs to go on, the versions of the format, and reading the newest whole one.

A state is a dict of plain containers and tensors: ``format``, ``networks``, ``optimizers``, ``model`` (image
pools), ``others`` (what the other processes have of their own, from the second on), ``averages`` (of the generators'
weights, if any), ``progress``, ``epoch_size`` (images; 0: not known), ``saved_as`` (prefixes of weight files),
``seed`` and ``options``.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from options.errors import DamagedError, UserError
from util.checkpoint import AVERAGED, PREVIOUS_STATE_FILE, STATE_FILE, load_file, save_file, weights_path

State = dict[str, Any]  # Any: tensors and plain containers, checked where they are used

FORMAT = 5
PARTS: Mapping[str, type] = {
    "networks": dict,
    "optimizers": dict,
    "model": dict,
    "others": list,
    "averages": dict,
    "progress": dict,
    "epoch_size": int,
    "saved_as": list,
    "seed": int,
    "options": dict,
}


SINCE: Mapping[str, int] = {"epoch_size": 2, "saved_as": 3, "averages": 4, "others": 5}  # formats that had a part first


class FoundState(NamedTuple):
    """The newest whole state of a run folder, and what was wrong with a newer one."""

    state: State
    path: Path
    complaint: str = ""


def has_state(folder: Path) -> bool:
    """Tell whether there is a state to go on from, whole or not."""
    return any((folder / name).exists() for name in (STATE_FILE, PREVIOUS_STATE_FILE))


def write_state(state: State, folder: Path) -> None:
    """Replace the latest state; the one before it stays as the previous one.

    Raises:
        OSError: nothing was replaced.
    """
    save_file(state, folder / STATE_FILE, previous=folder / PREVIOUS_STATE_FILE)


def write_weights(state: State, folder: Path) -> None:
    """Write the official files that belong to a state, and beside them those of the averaged weights.

    Where the state has no average an older one is deleted.

    Raises:
        OSError: the disk refused; the old files are whole.
    """
    averages = state["averages"].get("networks", {})
    for prefix in state["saved_as"]:
        for name, weights in state["networks"].items():
            save_file(weights, weights_path(folder, prefix, name))
            averaged = weights_path(folder, prefix, name + AVERAGED)
            if name in averages:
                save_file({**weights, **averages[name]}, averaged)
            else:
                for outdated in (averaged, averaged.with_suffix(".safetensors")):
                    outdated.unlink(missing_ok=True)


def read_state(folder: Path) -> FoundState:
    """Return the latest state or, where that is damaged or missing, the previous one.

    Raises:
        UserError: there is none, none is whole, or the latest cannot be read or is of a later version of this program.
    """
    latest, previous = folder / STATE_FILE, folder / PREVIOUS_STATE_FILE
    complaints = [] if latest.exists() else [f"{latest} is missing"]
    for path in (path for path in (latest, previous) if path.exists()):
        try:
            return FoundState(_migrated(load_file(path), path), path, "; ".join(complaints))
        except DamagedError as error:
            complaints.append(str(error))
    raise UserError(f"{'; '.join(complaints)}; remove it to go on from the *_net_*.pth files, which hold weights alone")


def _migrated(state: Any, path: Path) -> State:
    """Bring a state of any known format to the present one."""
    if not isinstance(state, dict) or type(state.get("format")) is not int:
        raise DamagedError(f"{path} is not a state file of this program")
    if state["format"] > FORMAT:
        raise UserError(  # even if there is an older one: that is not what the user means
            f"{path} has format {state['format']} and this program knows formats up to {FORMAT}; update the program"
        )
    if state["format"] < 1:
        raise DamagedError(f"{path} has the unknown format {state['format']}")
    newer = {part: PARTS[part]() for part, first in SINCE.items() if state["format"] < first}
    whole: State = {**state, "format": FORMAT, **newer}
    wrong = [part for part, kind in PARTS.items() if not isinstance(whole.get(part), kind)]
    if wrong:
        raise DamagedError(f"{path} lacks {', '.join(wrong)}")
    return whole
