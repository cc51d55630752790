"""What the pages of the dashboard must show, and the trainings that they show."""

import importlib.util
import json
import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import PROGRAM, Page, Pane
from tests.conftest import TINY
from util.dashboard import browser_files
from util.dashboard.address import Address, environment_name
from util.dashboard.replay import replay as show_run
from util.dashboard.server import BackgroundServer
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, Windows
from util.run_folder import METRICS_FILE

IMAGES = 3  # in an epoch; each of them is reported
FLAGS = f"--netG resnet_1blocks {TINY} --display_id 1"
REPORTS, POINTS = 200_000, 1000  # of a long run, and the most that a trace may have
VARIETY, LAST = "Variety of the samples (1: as real images)", "Learning rate"  # the latter is sent last of all
CHARTS = (
    "GAN losses",
    "Reconstruction losses",
    "Discriminators: share of right verdicts",
    VARIETY,
    "Images per second",
    "Time spent waiting for data",
    "Memory, GiB",
    LAST,
)
SAMPLES, CURRENT = "Held-out samples", "Current training image"
LEVELS = {"equilibrium 0.25", "cannot tell"}  # straight lines
NAME = "'\"><img src=x onerror=window.hacked=1><svg onload=window.hacked=1>"  # also that of a file
SCRIPT = f"</script><script>window.hacked=1</script><a href='javascript:window.hacked=1'>{NAME}"

Serve = Callable[[], BackgroundServer]
OpenWindows = Callable[[RunInfo, Layout], Windows]


def lacking() -> str:
    """Return what these tests need and this machine has not."""
    if importlib.util.find_spec("visdom") is None:
        return "visdom is not installed"
    if missing := browser_files.missing():
        return f"{', '.join(missing)} are missing; type: python -m util.dashboard files"
    return "" if PROGRAM else "there is no Chromium"


def skip_if_something_is_lacking() -> None:
    """Skip the tests of a module; where all tests are required, fail."""
    if reason := lacking():
        if os.environ.get("REQUIRE_ALL_TESTS"):  # as in .ci/run
            pytest.fail(reason)
        pytest.skip(reason, allow_module_level=True)


def words(name: str, flags: str, *, data: str = "data") -> list[object]:
    return ["--name", name, "--dataroot", data, *FLAGS.split(), *shlex.split(flags)]


def replay(run: Path, port: int) -> None:
    show_run(run, Address("http://localhost", port), env="", layout=Layout(1, "", 4))


def open_dashboard(page: Page, port: int, env: str, *, reports: int) -> None:
    """Load the page of an environment and return when it shows so many reports."""
    page.visit(f"http://localhost:{port}/env/{environment_name(env)}")
    wait_for_reports(page, reports)


def wait_for_reports(page: Page, count: int) -> None:
    """Return when the chart that comes last is drawn with so many points."""
    page.wait_for(
        "[...document.querySelectorAll('.window')].some(pane => "
        f"pane.querySelector('.bar').innerText.includes('{LAST}') && pane.querySelector('.trace') && "
        f"pane.querySelector('.js-plotly-plot').data[0].x.length == {count})"
    )


def wait_for_sheets(page: Page, count: int) -> None:
    """Return when the slider of the samples has so many places."""
    page.wait_for(f"Number(document.querySelector('input[type=range]')?.max) == {count - 1}")


def wait_until_all_is_in_place(page: Page) -> None:
    """Return when no window moves any more and each image has its shape, which it gets when it is loaded."""
    page.wait_for("performance.now() > 1500 && document.getAnimations().length == 0")
    page.wait_for(
        "[...document.querySelectorAll('.content img')].every(image => "
        "Math.abs(image.width / image.height * image.naturalHeight / image.naturalWidth - 1) < 0.02)"
    )


def positions(run: Path) -> list[float]:
    """Return when there was a report, in epochs."""
    events = [json.loads(line) for line in (run / METRICS_FILE).read_text().splitlines()]
    return [event["position"] for event in events if "losses" in event]


def assert_whole(panes: dict[str, Pane], run: Path, *, sheets: int) -> None:
    """Check that a finished run is shown with all its reports, and the newest of so many sheets of samples."""
    assert set(panes) == {run.name, *CHARTS, SAMPLES, CURRENT}
    assert "cycle_gan, finished" in panes[run.name].text
    for title in CHARTS:
        lines, curves = panes[title].lines, panes[title].curves
        assert lines == len(curves) > 0, f"{title}: {lines} lines are drawn of {list(curves)}"
        for name in () if title == VARIETY else curves.keys() - LEVELS:
            assert curves[name] == pytest.approx(positions(run), abs=1e-4), f"{title}: {name}"
    assert panes[SAMPLES].slider == [sheets - 1, sheets - 1]
    for title in (SAMPLES, CURRENT):
        assert [min(size) > 100 for size in panes[title].sizes] == [True], f"{title}: {panes[title].sizes}"


def assert_harmless(page: Page) -> None:
    """Check that nothing odd was run; that it can be, and had the time to, tells a last one that is."""
    page.ask(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(NAME.replace('hacked', 'later'))})")
    page.wait_for("window.later == 1")
    assert page.ask("window.hacked") is None


def overlap(one: list[float], other: list[float]) -> bool:
    """Tell whether two boxes share more than a seam of a pixel."""
    return all(max(one[side], other[side]) + 1 < min(one[side + 2], other[side + 2]) for side in (0, 1))
