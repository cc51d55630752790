"""What has been run so far, in ``results.json``: settings, seconds and scores of every run, replaced whole."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

from ablation.plan import Job
from ablation.tables import Table
from options.errors import UserError
from util.files import whole_file

RESULTS_FILE = "results.json"


class Score(TypedDict):
    """A score as ``evaluate.py`` writes it; ``value`` is None where it is no number."""

    value: float | None
    better: str


class Entry(TypedDict, total=False):
    """A run on record."""

    row: str
    seed: int
    settings: dict[str, Any]  # Any: what JSON can hold
    started: bool  # whether anything was learned
    train_seconds: float
    trained: bool
    evaluated: list[str]  # the words of the evaluation: the run, flags, --output and its file
    evaluate_seconds: float
    scores: dict[str, Score]
    evaluator: dict[str, Any]


class Record:
    """The runs of one table.

    Raises:
        UserError: the file is there but unreadable.
    """

    def __init__(self, folder: Path, table: Table) -> None:
        self.path, self.table = folder / RESULTS_FILE, table
        self.runs: dict[str, Entry] = {}
        if self.path.exists():
            try:
                self.runs = json.loads(self.path.read_text(encoding="utf-8"))["runs"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(f"cannot read {self.path} ({error}); repair or remove the file") from error

    def entry(self, job: Job) -> Entry:
        """Return the entry of a run, a new one if it was never started.

        Raises:
            UserError: that run, or another of the table, was trained with flags that do not go with these.
        """
        for name, other in self.runs.items():
            if not other.get("started"):
                continue
            same_run = name == job.name
            for flag, value in other["settings"].items():
                now = job.settings.get(flag, value)
                if now != value and (same_run or flag not in self.table.varied | {"seed"}):
                    raise UserError(
                        f"{self.path.parent / name} was trained with --{flag} {value}, not {now}; give the same flags "
                        "again, another --checkpoints_dir, or --overwrite"
                    )
        if not self.runs.get(job.name, {}).get("started"):
            settings = dict(job.settings)
            self.runs[job.name] = Entry(
                row=job.row.label, seed=job.seed, settings=settings, train_seconds=0.0, trained=False
            )
        return self.runs[job.name]

    def forget(self, jobs: Sequence[Job]) -> None:
        """Drop runs that are done anew."""
        for job in jobs:
            self.runs.pop(job.name, None)

    def write(self, summary: Mapping[str, Any]) -> None:
        """Replace the file."""
        content = {"table": self.table.name, "runs": self.runs, **summary}
        with whole_file(self.path) as file:
            file.write(json.dumps(content, indent=2).encode())
