"""The status pane: which run this is, how far it is, and whether it looks healthy, as HTML.

A Visdom text pane is raw HTML, so every text is escaped here.
"""

import math
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from util.checkpoint import STATE_FILE
from util.curves.history import History
from util.run_folder import COMMANDS_FILE, METRICS_FILE
from util.sinks.events import Scalars

PAUSE = 20  # times the usual seconds per image

PAGE = """
<div style="font: 14px/1.45 system-ui, sans-serif; color: #222; padding: 2px 6px">
<div style="font-size: 20px; font-weight: 650; overflow-wrap: anywhere">{name}</div>
<div style="color: #555; margin-bottom: 6px">{state}</div>
<div style="height: 10px; background: #e6e8eb; border-radius: 5px">
<div style="height: 10px; width: {percent:.1f}%; background: #4c8bf5; border-radius: 5px"></div></div>
<div style="margin: 8px 0">{health}</div>
<table style="width: 100%">{rows}</table>
</div>
"""
ROW = '<tr><td style="color: #777; padding: 1px 10px 1px 0; white-space: nowrap; vertical-align: top">{}</td>'
ROW += '<td style="overflow-wrap: anywhere">{}</td></tr>'
HEALTHY = '<div style="padding: 5px 8px; border-radius: 5px; background: #e5f4ea; color: #14653a">{}</div>'
UNHEALTHY = (
    '<div style="padding: 5px 8px; border-radius: 5px; background: #fdf0dc; color: #7a4300; margin-top: 4px">{}</div>'
)


class RunInfo(NamedTuple):
    """What does not change while a run goes on."""

    name: str
    folder: Path
    model: str
    total_epochs: int
    gan_mode: str


def status_html(info: RunInfo, history: History, signals: Sequence[str], *, warning: str, closed: bool) -> str:
    """Return the pane.

    Args:
        signals: what is worth a look, see ``Health``.
        warning: the newest one, or nothing.
        closed: the training has ended.
    """
    last = history.last
    done = last.position / info.total_epochs if last else 0.0
    rows = [("progress", _progress(info, last)), ("speed", _speed(history))]
    if not closed:
        rows.append(("time left", _time_left(info, history)))
    rows += [
        ("last save", last_written(info.folder / STATE_FILE)),
        ("last warning", warning),
        ("command", last_command(info.folder)),
    ]
    table = "".join(ROW.format(label, escape(text)) for label, text in rows if text)
    calm = HEALTHY.format("nothing conspicuous in the numbers" if last else "waiting for the first report")
    return PAGE.format(
        name=escape(info.name),
        state=escape(f"{info.model}, {_state(info.folder, done, closed=closed)}"),
        percent=100 * min(1.0, done),
        rows=table,
        health="".join(UNHEALTHY.format(escape(sentence)) for sentence in signals) or calm,
    )


def _state(folder: Path, done: float, *, closed: bool) -> str:
    if not closed:
        return f"training; this pane was drawn {clock(time.time())}"
    return f"{'finished' if done >= 1 else 'stopped'}; last report {last_written(folder / METRICS_FILE)}"


def _progress(info: RunInfo, last: Scalars | None) -> str:
    if last is None:
        return f"0 of {info.total_epochs} epochs"
    return f"epoch {last.epoch} of {info.total_epochs}, {last.images_seen:,} images seen"


def _speed(history: History) -> str:
    speed = images_per_second(history)
    text = f"{speed:,.0f}" if speed >= 100 else f"{speed:.3g}"
    return f"{text} images per second" if speed > 0 else ""


def _time_left(info: RunInfo, history: History) -> str:
    """Estimate from the newest speed."""
    last, speed = history.last, images_per_second(history)
    in_epoch = last.position - last.epoch + 1 if last else 0.0
    if last is None or not speed > 0 or not in_epoch > 0:
        return ""
    images = (info.total_epochs - last.position) * last.iters / in_epoch
    left = timedelta(seconds=max(0, round(images / speed)))
    return f"{left}, until {clock(time.time() + left.total_seconds())}"


def images_per_second(history: History) -> float:
    """Return the speed of the newest reports, without those in which the program was paused, or NaN."""
    if not history.newest:
        return math.nan
    longest = PAUSE * median(history.newest)
    return 1 / fmean(seconds for seconds in history.newest if seconds <= longest)


def last_written(path: Path) -> str:
    """Return when a file was written, or that there is none."""
    try:
        return clock(path.stat().st_mtime)
    except OSError:
        return "none yet"


def last_command(folder: Path) -> str:
    """Return how the run was started last, if that is on record."""
    try:
        lines = (folder / COMMANDS_FILE).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    commands = [line for line in lines if line.strip()]
    return commands[-1].split(maxsplit=2)[-1] if commands else ""


def clock(seconds: float) -> str:
    """Return a point in time as date and time of this machine."""
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M:%S")
