"""Whole runs of ``train.py``, ours and the official one, and how many images a second their later epochs train on."""

import contextlib
import re
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.job import Job
from benchmarks.official import stand_ins
from benchmarks.processes import PROJECT, FailedError, free_port, in_own_process, lines_of
from benchmarks.rows import Cell
from benchmarks.sides import Side
from benchmarks.step import command_line
from util.dashboard.server import start_background

IMAGES, EPOCH_END = re.compile(r"number of training images = (\d+)"), re.compile(r"End of epoch \d+")
SELDOM = {"print_freq": 100, "display_freq": 400, "update_html_freq": 1000, "save_latest_freq": 5000}  # by default


@dataclass(frozen=True)
class Training:
    """What every side trains.

    Attributes:
        epochs: the first is not timed.
        flags: that go to every side.
        timings: of the bare step.
        timeout: seconds that a process may take.
    """

    cell: Cell
    dataroot: str
    images: int
    epochs: int
    flags: Sequence[str]
    timings: int
    timeout: float

    def command_line(self) -> list[str]:
        """Return what both ``train.py`` are given, without the side's own flags and folder."""
        words: dict[str, object] = {
            "model": self.cell.what,
            "dataroot": str(Path(self.dataroot).resolve()),
            "name": "benchmark",
        }
        words |= {"crop_size": self.cell.size, "load_size": self.cell.size * 286 // 256}
        words |= {"batch_size": self.cell.batch_size, "max_dataset_size": self.images}
        words |= {"n_epochs": self.epochs, "n_epochs_decay": 0}
        words |= {name: min(images, self.images) for name, images in SELDOM.items()}
        return [*(text for name, value in words.items() for text in (f"--{name}", str(value))), *self.flags]

    def bare_rate(self, side: Side) -> float:
        """Return images a second of the step alone, by ``benchmarks.step``."""
        line = command_line(self.cell, [*self.flags, *side.flags])
        job = Job(self.cell.size, self.cell.batch_size, line, side.folder, self.timings)
        result = in_own_process("benchmarks.step", ["--job", job.to_text()], seconds=self.timeout)
        return self.cell.batch_size / float(statistics.median(result["seconds"]))

    def run_rate(self, side: Side, *, dashboard: bool = False) -> float:
        """Return images a second of a run."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            line = [*self.command_line(), *side.flags, "--checkpoints_dir", str(folder / "checkpoints")]
            if side.folder:
                return self._rate([f"{side.folder}/train.py", *line], {"PYTHONPATH": stand_ins(folder)})
            with server(folder) if dashboard else contextlib.nullcontext(0) as port:
                shown = ["--display_port", str(port)] if dashboard else ["--display_id", "0"]
                return self._rate([str(PROJECT / "train.py"), *line, *shown], {})

    def _rate(self, command: Sequence[str], env: dict[str, str]) -> float:
        images, ends = 0, []
        lines = lines_of([sys.executable, *command], cwd=Path(tempfile.gettempdir()), env=env, seconds=self.timeout)
        for moment, text in lines:
            if found := IMAGES.search(text):
                images = int(found[1])
            if EPOCH_END.search(text):
                ends.append(moment)
        if not images or len(ends) < 2:
            raise FailedError("it did not tell of its epochs")
        return images * (len(ends) - 1) / (ends[-1] - ends[0])


@contextlib.contextmanager
def server(folder: Path) -> Iterator[int]:
    """Run a dashboard's server while the body runs; yield its port."""
    running = start_background(port := free_port(), env_path=folder / "visdom", ends_with_me=True)
    try:
        yield port
    finally:
        running.stop()
