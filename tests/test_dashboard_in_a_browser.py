"""The dashboard as a reader has it: real trainings, a real server, a real browser."""

import importlib.util
import itertools
import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.browser import PROGRAM, Page, Pane, browser
from tests.conftest import PROJECT
from tests.images import an_image, write, write_unaligned
from tests.nursery import Nursery, nursery
from tests.util.sinks.events import images, samples, scalars
from util.dashboard import browser_files
from util.dashboard.address import Address, environment_name
from util.dashboard.saved import Sheets
from util.dashboard.server import BackgroundServer, start_background
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View, Windows
from util.run_folder import COMMANDS_FILE, METRICS_FILE
from util.sheet import jpeg
from util.sinks.events import Event, Scores
from util.sinks.history import History


def lacking() -> str:
    """Return what these tests need and this machine has not."""
    if importlib.util.find_spec("visdom") is None:
        return "visdom is not installed"
    if missing := browser_files.missing():
        return f"{', '.join(missing)} are missing; type: python -m util.dashboard files"
    return "" if PROGRAM else "there is no Chromium"


if reason := lacking():
    if os.environ.get("REQUIRE_ALL_TESTS"):  # as in .ci/run
        pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)

IMAGES = 3  # in an epoch; each of them is reported
FLAGS = (
    "--model cycle_gan --netG resnet_1blocks --ngf 4 --ndf 4 --netD n_layers --n_layers_D 1 --load_size 36 "
    "--crop_size 32 --num_threads 0 --print_freq 1 --display_freq 2 --n_epochs_decay 0"
)
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


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("browser") / "profile") as opened:
        yield opened


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """A nursery in a folder with three images of each domain in ``data``."""
    folder = tmp_path_factory.mktemp("trainings")
    write_unaligned(folder / "data")
    with nursery(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def unseen(place: Nursery) -> Path:
    """The folder of a run of two epochs that was trained without a server."""
    assert place.run(words("unseen", "--display_id 0 --n_epochs 2")).code == 0
    return place.folder / "checkpoints" / "unseen"


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def serve(port: int, tmp_path: Path) -> Iterator[Serve]:
    """Start a server at ``port`` that knows nothing; all of them end with the test."""
    started: list[BackgroundServer] = []

    def start() -> BackgroundServer:
        started.append(start_background(port, env_path=tmp_path / f"envs{len(started)}"))
        return started[-1]

    yield start
    for server in started:
        kill(server)


@pytest.fixture
def windows(port: int, serve: Serve) -> OpenWindows:
    """Return the windows of a run in the environment ``main`` of a new server."""
    from util.dashboard.client import Client

    serve()
    client = Client(Address("http://localhost", port), "main")
    client.open_environment()
    return lambda info, layout: Windows(client, info, layout)


def kill(server: BackgroundServer) -> None:
    server.process.kill()
    server.process.wait(10)


def words(name: str, flags: str, *, data: str = "data") -> list[object]:
    return ["--name", name, "--dataroot", data, *FLAGS.split(), *shlex.split(flags)]


def replay(run: Path, port: int) -> None:
    command = [sys.executable, "-m", "util.dashboard", "replay", str(run), "--display_port", str(port)]
    subprocess.run(command, cwd=PROJECT, check=True, timeout=60, stdout=subprocess.DEVNULL)


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


class TestLive:
    def test_an_open_page_follows_a_training_to_its_end(
        self, page: Page, place: Nursery, port: int, serve: Serve
    ) -> None:
        serve()
        life = place.start(words("live", f"--display_port {port} --n_epochs 2"), holds=(2,))
        life.says("Visdom dashboard: ")
        open_dashboard(page, port, "live", reports=2)
        wait_for_sheets(page, 1)
        assert "cycle_gan, training" in page.panes()["live"].text
        life.go(2)
        assert life.wait().code == 0
        wait_for_reports(page, 2 * IMAGES)
        wait_for_sheets(page, 3)
        page.wait_for("document.body.innerText.includes('cycle_gan, finished')")
        live = page.panes()
        assert_whole(live, place.folder / "checkpoints" / "live", sheets=3)
        assert page.errors == []

        open_dashboard(page, port, "live", reports=2 * IMAGES)
        again = page.panes()
        assert {title: pane.content for title, pane in again.items()} == {
            title: pane.content for title, pane in live.items()
        }
        assert page.errors == []
        assert [url for url in page.asked if not url.startswith((f"http://localhost:{port}/", "data:"))] == []

    def test_after_an_outage_all_is_there_again(self, page: Page, place: Nursery, port: int, serve: Serve) -> None:
        first = serve()
        life = place.start(
            words("outage", f"--display_port {port} --n_epochs 4"),
            holds=(4, 8),
            constants={"util.dashboard.sink.FIRST_PAUSE": 0.2, "util.dashboard.sink.LONGEST_PAUSE": 0.2},
        )
        life.says("Visdom dashboard: ")
        open_dashboard(page, port, "outage", reports=4)
        kill(first)
        life.go(4)
        life.says("no Visdom dashboard at ")
        life.reach(8)
        serve()
        life.says("Visdom dashboard is back: ")
        open_dashboard(page, port, "outage", reports=8)
        life.go(8)
        assert life.wait().code == 0
        open_dashboard(page, port, "outage", reports=4 * IMAGES)
        assert_whole(page.panes(), place.folder / "checkpoints" / "outage", sheets=6)
        assert page.errors == []

    @pytest.mark.parametrize("restart", [False, True])
    def test_after_a_resume_the_curves_are_those_of_the_whole_run(
        self, restart: bool, page: Page, place: Nursery, unseen: Path, port: int, serve: Serve
    ) -> None:
        run = shutil.copytree(unseen, unseen.with_name(f"resumed{restart}"))
        first = serve()
        replay(run, port)
        open_dashboard(page, port, run.name, reports=2 * IMAGES)
        if restart:
            kill(first)
            serve()
        flags = f"--continue_train --display_id 1 --display_port {port} --n_epochs 3"
        assert place.run(words(run.name, flags)).code == 0
        open_dashboard(page, port, run.name, reports=3 * IMAGES)
        assert_whole(page.panes(), run, sheets=4)  # one of each epoch before, two of the last one
        assert page.errors == []

    def test_the_first_report_can_be_seen(self, page: Page, windows: OpenWindows, port: int, tmp_path: Path) -> None:
        shown = windows(RunInfo("run", tmp_path, "cycle_gan", 1, "lsgan"), Layout(1, "", 4))
        shown.show(View(History([scalars(1)]), [], "", None, None, closed=False), whole=True)
        open_dashboard(page, port, "main", reports=1)
        assert page.ask("document.querySelectorAll('.trace :is(path.point, path.js-line)').length") > 0

    def test_sheets_that_come_all_at_once_reach_an_open_page(
        self, page: Page, windows: OpenWindows, port: int, tmp_path: Path
    ) -> None:
        shown = windows(RunInfo("run", tmp_path, "cycle_gan", 1, "lsgan"), Layout(1, "", 4))
        history, sheet = History([scalars(1)]), jpeg(samples().sheet)
        shown.show(View(history, [], "", None, Sheets(), closed=False), whole=True)
        open_dashboard(page, port, "main", reports=1)
        shown.show(View(history, [], "", None, Sheets([sheet] * 3), closed=True), whole=False)
        wait_for_sheets(page, 3)
        assert page.errors == []


class TestReplay:
    def test_a_run_without_a_server_is_shown_later(self, page: Page, unseen: Path, port: int, serve: Serve) -> None:
        serve()
        replay(unseen, port)
        open_dashboard(page, port, "unseen", reports=2 * IMAGES)
        assert_whole(page.panes(), unseen, sheets=2)
        assert page.errors == []

    def test_nothing_covers_anything(self, page: Page, unseen: Path, port: int, serve: Serve) -> None:
        serve()
        replay(unseen, port)
        open_dashboard(page, port, "unseen", reports=2 * IMAGES)
        wait_until_all_is_in_place(page)
        panes, seen = page.panes(), page.an_image()
        for one, other in itertools.combinations(panes.values(), 2):
            assert not overlap(one.box, other.box), f"{one.title} covers {other.title}"
        for title in (SAMPLES, CURRENT):
            image, *slider = panes[title].parts
            colours = seen.crop(tuple(map(round, image))).getcolors(maxcolors=2**24)
            assert len(colours) > 1000, f"{title}: {len(colours)} colours are to be seen"
            assert image[3] <= panes[title].box[3] + 1, f"{title} is cut off"
            assert not slider or not overlap(image, slider[0]), f"the slider covers {title}"

    def test_loading_the_page_again_moves_nothing(self, page: Page, unseen: Path, port: int, serve: Serve) -> None:
        serve()
        replay(unseen, port)
        places = []
        for _ in range(2):
            open_dashboard(page, port, "unseen", reports=2 * IMAGES)
            wait_until_all_is_in_place(page)
            places.append({title: pane.box for title, pane in page.panes().items()})
        assert places[1] == places[0]


class TestScripts:
    """What looks like one is shown, and not run."""

    def test_in_the_name_of_a_run_and_of_its_images(self, page: Page, place: Nursery, port: int, serve: Serve) -> None:
        serve()
        for domain, seed in itertools.product("AB", range(2)):
            write(an_image(seed), place.folder / "odd" / f"train{domain}" / f"{NAME}{seed}.png")
        run = place.folder / "checkpoints" / NAME
        (run / "web").mkdir(parents=True)
        (run / "web" / "images").touch()  # in the way of a folder: there will be a warning that names it
        assert place.run(words(NAME, f"--display_port {port} --n_epochs 1", data="odd")).code == 0
        open_dashboard(page, port, NAME, reports=2)
        status = page.panes()[NAME]
        assert f"{NAME}\ncycle_gan, finished" in status.text
        assert f"{NAME}/web/images" in status.text
        assert_harmless(page)

        page.visit((run / "web" / "index.html").as_uri())
        assert f"Experiment name = {NAME}" in page.text()
        assert_harmless(page)

    def test_in_all_that_the_dashboard_is_given(
        self, page: Page, windows: OpenWindows, port: int, tmp_path: Path
    ) -> None:
        (tmp_path / COMMANDS_FILE).write_text(f"2026-01-02 03:04:05 python train.py --name {SCRIPT}")
        values = {SCRIPT: 0.5, "D": 0.5, f"cycle_{SCRIPT}": 0.5}
        history = History(scalars(number, **values)._replace(accuracies=values) for number in range(1, 4))
        history.add(Scores(1, 0.75, 300, {SCRIPT: 0.5, f"variety_{SCRIPT}": 0.5}))
        info = RunInfo(f"run {SCRIPT}", tmp_path, f"model {SCRIPT}", 1, SCRIPT)
        view = View(history, [f"signal {SCRIPT}"], f"warning {SCRIPT}", images(labels=(SCRIPT, NAME)), None, True)
        windows(info, Layout(1, SCRIPT, 0)).show(view, whole=True)
        open_dashboard(page, port, "main", reports=3)
        page.ask("document.querySelectorAll('.js-plotly-plot').forEach(plot => Plotly.Fx.hover(plot, {xval: 0.5}))")
        panes = page.panes()
        text = panes[f"{SCRIPT}run {SCRIPT}"].text
        for what in ("run", "model", "signal", "warning", "python train.py --name"):
            assert f"{what} {SCRIPT}" in text
        assert {f"{SCRIPT}{title}" for title in (SCRIPT, NAME, f"Validation: {SCRIPT}", *CHARTS)} - panes.keys() == {
            f"{SCRIPT}Memory, GiB"
        }
        assert_harmless(page)


class TestLongRun:
    def test_200_000_reports_can_be_looked_at(
        self, page: Page, windows: OpenWindows, port: int, tmp_path: Path
    ) -> None:
        history = History(long_run())
        shown = windows(RunInfo("long", tmp_path, "cycle_gan", 200, "lsgan"), Layout(1, "", 4))
        shown.show(View(history, [], "", None, None, closed=True), whole=True)
        open_dashboard(page, port, "main", reports=len(history.learning_rate.x))
        panes = page.panes()
        assert f"epoch 200 of 200, {100 * REPORTS:,} images seen" in panes["long"].text
        for title in (*CHARTS, "Validation: l1"):
            curves = panes[title].curves
            assert panes[title].lines == len(curves) > 0, title
            for name in curves.keys() - LEVELS:
                assert POINTS / 2 <= len(curves[name]) <= POINTS, f"{title}: {name}"
                assert (curves[name][0] < 1, curves[name][-1]) == (True, 200), f"{title}: {name}"
        assert page.errors == []


def long_run() -> Iterator[Event]:
    """Yield report after report, each with scores of held-out images."""
    names = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")
    for number in range(1, REPORTS + 1):
        losses = {name: 0.3 + 0.001 * (number * (7 + index) % 331) for index, name in enumerate(names)}
        right = dict.fromkeys(("D_A_real", "D_A_fake"), 0.5 + 0.001 * (number % 300))
        report = scalars(number, per_epoch=REPORTS // 200, **losses)._replace(accuracies=right, memory=2e9)
        scores = {"l1": losses["G_A"], "variety_G_A": losses["D_A"]}
        yield report
        yield Scores(report.epoch, report.position, report.images_seen, scores)
