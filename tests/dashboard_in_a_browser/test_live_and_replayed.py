"""The dashboard as a reader has it: real trainings, a real server, a real browser."""

import itertools
import shutil
from pathlib import Path

import pytest

from tests.browser import Page
from tests.dashboard_in_a_browser.pages import (
    CURRENT,
    IMAGES,
    SAMPLES,
    OpenWindows,
    Serve,
    assert_whole,
    open_dashboard,
    overlap,
    replay,
    skip_if_something_is_lacking,
    wait_for_reports,
    wait_for_sheets,
    wait_until_all_is_in_place,
    words,
)
from tests.nursery import Nursery
from tests.util.dashboard.servers import kill
from tests.util.sinks.events import samples, scalars
from util.curves.history import History
from util.dashboard.saved import Sheets
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View
from util.images import jpeg

skip_if_something_is_lacking()


@pytest.mark.slow
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


def test_a_run_without_a_server_is_shown_later_and_nothing_covers_anything(
    page: Page, unseen: Path, port: int, serve: Serve
) -> None:
    serve()
    replay(unseen, port)
    open_dashboard(page, port, "unseen", reports=2 * IMAGES)
    wait_until_all_is_in_place(page)
    panes, seen = page.panes(), page.image()
    assert_whole(panes, unseen, sheets=2)
    for one, other in itertools.combinations(panes.values(), 2):
        assert not overlap(one.box, other.box), f"{one.title} covers {other.title}"
    for title in (SAMPLES, CURRENT):
        image, *slider = panes[title].parts
        left, top, right, bottom = map(round, image)
        colours = seen.crop((left, top, right, bottom)).getcolors(maxcolors=2**24)
        assert colours
        assert len(colours) > 1000, f"{title}: {len(colours)} colours are to be seen"
        assert image[3] <= panes[title].box[3] + 1, f"{title} is cut off"
        assert not slider or not overlap(image, slider[0]), f"the slider covers {title}"
    open_dashboard(page, port, "unseen", reports=2 * IMAGES)
    wait_until_all_is_in_place(page)
    assert {title: pane.box for title, pane in page.panes().items()} == {
        title: pane.box for title, pane in panes.items()
    }, "loading the page again moves something"
    assert page.errors == []
