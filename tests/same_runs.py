"""Whether two runs learned the same, to the last bit, and what of a run is whole."""

import json
from pathlib import Path
from typing import Any

import torch

from models.state import has_state, read_state
from tests.models.test_resume import differences
from util.checkpoint import load_file

TIMES = ("seconds", "data_seconds")


def reports(folder: Path) -> list[dict[str, Any]]:
    """Return every line of ``metrics.jsonl`` without what a clock showed."""
    events = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in event.items() if name not in TIMES} for event in events]


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
    """Return the bytes of every file but those of the lock, which even a refused training may touch."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".lock")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
