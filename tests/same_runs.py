"""Whether two runs learned the same, to the last bit, and what of a run is whole."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.state import has_state, read_state
from util.checkpoint import load_file

NOT_LEARNED = ("seconds", "data_seconds", "memory")  # what a clock or the machine showed
LAYOUT = {"cycle_gan": "unaligned_root", "cut": "unaligned_root", "colorization": "colour_root"}


def state_of(name: str) -> Any:
    return torch.load(Path("checkpoints", name, "latest_state.pth"), weights_only=True)


def losses_of(name: str) -> list[tuple[Any, ...]]:
    """Every report of the losses without its times."""
    events = [event for event in reports(Path("checkpoints", name)) if "losses" in event]
    return [(e["epoch"], e["iters"], e["images_seen"], e["learning_rate"], e["losses"]) for e in events]


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Return where two nested values differ, down to the last bit."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{place}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [found for i in range(len(one)) for found in differences(one[i], other[i], f"{place}/{i}")]
    same = torch.equal(one, other) if isinstance(one, Tensor) and isinstance(other, Tensor) else one == other
    return [] if same else [place]


def assert_same_run(name: str, reference: str) -> None:
    mine, theirs = state_of(name), state_of(reference)
    for part in ("networks", "optimizers", "model", "others", "averages", "progress", "seed"):
        assert differences(mine[part], theirs[part]) == [], part
    assert losses_of(name) == losses_of(reference)
    files = sorted(Path("checkpoints", name).glob("latest_net_*.pth"))
    assert files
    for path in files:
        other = Path("checkpoints", reference, path.name)
        assert differences(torch.load(path, weights_only=True), torch.load(other, weights_only=True)) == []


def reports(folder: Path) -> list[dict[str, Any]]:
    """Return every line of ``metrics.jsonl``, of losses and of held-out scores, without what a clock showed."""
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in event.items() if name not in NOT_LEARNED} for event in events]


def checkpoints(folder: Path, pattern: str = "*.pth") -> dict[str, Any]:
    """Return what lies in each checkpoint file."""
    return {path.name: torch.load(path, weights_only=True) for path in sorted(folder.glob(pattern))}


def assert_same_checkpoints(folder: Path, reference: Path) -> None:
    assert (mine := checkpoints(folder))
    assert differences(mine, checkpoints(reference)) == []


def images_saved(folder: Path) -> int:
    """Return the images seen by the newest whole state; 0 where there is none."""
    return int(read_state(folder).state["progress"]["images_seen"]) if has_state(folder) else 0


def assert_whole(folder: Path) -> None:
    """Check that every checkpoint file can be loaded."""
    for path in folder.glob("*.pth"):
        load_file(path)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file but those hidden ones that even a refused training may touch."""
    files = [
        path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith((".lock", ".started"))
    ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
