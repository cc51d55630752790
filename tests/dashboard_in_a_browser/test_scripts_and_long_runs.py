"""The dashboard in a real browser: what looks like a script is not run, and a long run can be looked at."""

import itertools
from collections.abc import Iterator
from pathlib import Path

from tests.browser import Page
from tests.dashboard_in_a_browser.pages import (
    CHARTS,
    LEVELS,
    NAME,
    POINTS,
    REPORTS,
    SCRIPT,
    OpenWindows,
    Serve,
    assert_harmless,
    open_dashboard,
    skip_if_something_is_lacking,
    words,
)
from tests.images import an_image, write
from tests.nursery import Nursery
from tests.util.sinks.events import images, scalars
from util.curves.history import History
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View
from util.run_folder import COMMANDS_FILE
from util.sinks.events import Event, Scores

skip_if_something_is_lacking()


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
        history = History(scalars(number)._replace(losses=values, accuracies=values) for number in range(1, 4))
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
        report = scalars(number, REPORTS // 200, **losses)._replace(accuracies=right, memory=2e9)
        scores = {"l1": losses["G_A"], "variety_G_A": losses["D_A"]}
        yield report
        yield Scores(report.epoch, report.position, report.images_seen, scores)
