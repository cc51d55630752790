"""A dashboard sink with short pauses, and what it has sent."""

import base64
import json
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.util.dashboard.fake_visdom import FakeVisdom
from tests.util.dashboard.servers import post
from tests.util.sinks.events import scalars
from util.curves.health import Health
from util.curves.history import History
from util.dashboard.address import parse_address
from util.dashboard.saved import Sheets
from util.dashboard.sink import VisdomSink
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout
from util.images import jpeg
from util.sinks.events import Event, Images, Samples, Scores

LAYOUT = Layout(1, "", 4)
CURVES = ("gan", "reconstruction", "accuracy", "validation", "variety", "speed", "waiting", "memory", "rate")
ALL = {f"1-{name}" for name in (*CURVES, "status", "samples", "current")}  # the windows of a run that tells everything
MADE: list[VisdomSink] = []  # closed by the fixture ``quick``


def make_sink(
    port: int,
    *,
    server: str = "http://localhost",
    env: str = "run",
    name: str = "run",
    layout: Layout = LAYOUT,
    before: Iterable[Event] = (),
    start_server: bool = False,
    **options: Any,  # of ``VisdomSink``
) -> VisdomSink:
    info = RunInfo(name, Path("nowhere"), "cycle_gan", 100, "lsgan")
    history, health = History(), Health(num_threads=4)
    for event in before:
        history.add(event)
        health.add(event)
    defaults: dict[str, Any] = {"history": history, "health": health, "images": None, "sheets": Sheets()}
    address = parse_address(server, port)
    MADE.append(
        VisdomSink(info, address, env=env, layout=layout, start_server=start_server, **(defaults | options)),
    )
    return MADE[-1]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def numbered(number: int) -> Samples:
    """Return a sheet that tells its number by its brightness."""
    return Samples(number, 100 * number, np.full((40, 100, 3), number % 256, np.uint8))


def gray(number: int) -> Images:
    """Return images of a brightness."""
    return Images(number, 100 * number, {"real_A": np.full((32, 32, 3), number % 256, np.uint8)})


def tell(sink: VisdomSink, number: int) -> None:
    """Tell all that a training can tell."""
    sink.scalars(scalars(number)._replace(accuracies={"D_A_real": 0.5}, data_seconds=0.1, memory=2.0**30))
    sink.scores(Scores(1, number / 4, 100 * number, {"validation": 1 / number, "variety_G_A": 0.5}))
    sink.images(gray(number))
    sink.samples(numbered(number))


def source(event: Samples) -> str:
    """Return how a sheet is sent."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg(event.sheet)).decode()}"


def windows(port: int, env: str = "run", base_url: str = "") -> dict[str, dict[str, Any]]:
    """Return what a real server shows, by window."""
    return dict(json.loads(post(port, "win_data", {"eid": env, "win": None}, base_url)))


def drawn(data: list[dict[str, Any]], name: str) -> tuple[list[float], list[float | None]]:
    """Return x and y of a curve as reported."""
    (trace,) = [trace for trace in data if trace["name"] == f"{name} (measured)"]
    return trace["x"], trace["y"]


def positions(server: FakeVisdom) -> list[float]:
    """Return where the reports are that the chart of the GAN losses shows; none before there is one."""
    chart = server.windows.get("1-gan")
    return drawn(chart["data"], "G_A")[0] if chart else []


def points(port: int, window: str = "1-gan", name: str = "G_A", env: str = "run") -> list[float]:
    """Return where the reports are that a real server shows."""
    return drawn(windows(port, env)[window]["content"]["data"], name)[0]
