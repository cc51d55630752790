"""Runs as they are drawn, and as they lie in their folders."""

import json
import math
from pathlib import Path
from typing import Any

from options.stored import OPTIONS_FILE
from util.curves.history import History
from util.plot import Run
from util.run_folder import METRICS_FILE
from util.sinks.events import Event, Scalars, Scores
from util.sinks.jsonl import JsonLinesSink

CYCLE = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")
PIX2PIX = ("G_GAN", "G_L1", "D_real", "D_fake")
NAN = math.nan


def events(names: tuple[str, ...] = CYCLE, *, reports: int = 40, level: float = 1.0, **more: Any) -> list[Event]:
    """Return a run of 10 reports per epoch; losses swing around their level."""
    accuracies = {"D_A_real": 0.75} if "cycle_A" in names else {"D_real": 0.6}
    result: list[Event] = []
    for number in range(1, reports + 1):
        losses = dict.fromkeys(names, level + 0.2 * (-1) ** number)
        epoch, position = (number - 1) // 10 + 1, number / 10
        report = Scalars(epoch, position, 100, number * 100, losses, 2e-4, 0.05, 0.0, accuracies=accuracies)
        result.append(report._replace(**more))
        if number % 10 == 0 and "cycle_A" in names:
            result.append(Scores(epoch, position, number * 100, {"variety_G_A": 0.9, "variety_G_B": 1.1}))
        elif number % 10 == 0:
            result.append(Scores(epoch, position, number * 100, {"l1": 20.0 + number, "variety_G": 0.9}))
    return result


def run(label: str = "horse2zebra", gan_mode: str = "lsgan", *args: Any, **settings: Any) -> Run:
    return Run(label, History(events(*args, **settings)), gan_mode)


def write_run(folder: Path, gan_mode: str | None = "lsgan", *args: Any, **settings: Any) -> Path:
    """Write what a training leaves in its folder."""
    folder.mkdir(parents=True)
    sink = JsonLinesSink(folder / METRICS_FILE, resume_at=0)
    for event in events(*args, **settings):
        sink.scalars(event) if isinstance(event, Scalars) else sink.scores(event)
    if gan_mode:
        (folder / OPTIONS_FILE).write_text(json.dumps({"gan_mode": gan_mode}))
    return folder
