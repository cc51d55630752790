"""``web/index.html`` as a browser reads it: what is shown from top to bottom, and that each file is there."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.browser import PROGRAM, browser
from tests.util.sinks.events import images, samples, scalars
from tests.util.sinks.html_pages import LABELS, epoch, open_sink, read, shown, train
from util.curves.history import History
from util.sinks.events import Samples

LOOK = """(() => {
    const top = part => part.getBoundingClientRect().top
    const seen = [...document.querySelectorAll("h1, h2, header img, figure img")]
    const ordered = [...seen].sort((a, b) => top(a) - top(b) || a.x - b.x)
    return [
        ordered.map(part => part.getAttribute("src") || part.textContent),
        seen.every(part => !part.complete || part.naturalWidth > 0),
        seen.filter(part => /008_(real_A|fake_B)/.test(part.src)).map(top),
        document.documentElement.scrollWidth <= innerWidth,
    ]
})()"""


class TestWhatIsShown:
    def test_the_newest_epoch_comes_first_each_once_in_display_order(self, web: Path) -> None:
        train(web, 1, 2, 3).close()
        assert shown(web) == [*epoch(3), *epoch(2), *epoch(1)]
        files = {path.name for path in (web / "images").iterdir()}
        assert files == {Path(item).name for item in shown(web) if "/" in item}

    def test_without_held_out_samples_there_are_none(self, web: Path) -> None:
        train(web, 9, 10, sheets=False)
        assert shown(web) == [*epoch(10, sheet=False), *epoch(9, sheet=False)]

    def test_the_sheet_has_a_row_of_its_own_with_its_size(self, web: Path) -> None:
        for last_epoch, epochs in ((0, [1]), (1, [])):  # as appended, and as found
            train(web, *epochs, history=History([scalars(1)]), last_epoch=last_epoch).close()
            html = (web / "index.html").read_text()
            assert '<figure class="whole" style="width: 100px">' in html
            assert "aspect-ratio: 100 / 40" in html
            assert "held-out samples" in html

    def test_names_are_escaped(self, web: Path) -> None:
        name = "<script>alert(1)</script> & \"quotes' run"
        sink = open_sink(web, scalars(1, **{"G_<b>&\"'": 1.0}), name=name)
        sink.images(images(labels=("../<i>&\"'", "fake_B")))
        page = (web / "index.html").read_text()
        assert not re.search("<(script|b|i)>", page)
        assert "&lt;script&gt;" in page
        assert (web / "images" / "epoch001_..--i----.png").is_file()
        assert shown(web) == epoch(1, "..--i----", "fake_B", sheet=False)

    def test_curves_and_status_are_drawings_beside_the_page(self, web: Path) -> None:
        sink = open_sink(web, *(scalars(n) for n in range(1, 5)), last_epoch=1)
        sink.close()
        (_, drawings), *_ = read(web).blocks
        assert drawings == ["status.svg", "GAN_losses.svg", "Reconstruction_losses.svg"]
        assert "cycle_A" in (web / "Reconstruction_losses.svg").read_text()
        assert "epoch 1, 400 images seen" in (web / "status.svg").read_text()

    def test_curves_that_come_after_the_first_images_are_shown_too(self, web: Path, clock: list[float]) -> None:
        sink = train(web, 1)
        clock[0] += 6
        sink.scalars(scalars(5))
        assert read(web).sources[:3] == ["status.svg", "GAN_losses.svg", "Reconstruction_losses.svg"]
        sink.images(images(2))
        assert shown(web) == [*epoch(2, sheet=False), *epoch(1)]

    def test_a_run_that_showed_nothing_has_no_page(self, web: Path) -> None:
        open_sink(web).close()
        assert not web.exists()

    @pytest.mark.skipif(PROGRAM is None, reason="there is no Chromium")
    def test_a_browser_shows_it_so(self, web: Path, tmp_path: Path) -> None:
        pytest.importorskip("websocket")
        sink = train(web, *range(8, 13), history=History([scalars(1)]), display_winsize=300)
        sink.samples(Samples(13, 0, np.full((40, 700, 3), 90, np.uint8)))  # wider than the window
        sink.close()
        with browser(tmp_path / "profile") as page:
            page.resize(600, 900)
            page.visit((web / "index.html").as_uri())
            items, whole, tops, fits = page.ask(LOOK)
        drawings = ["status.svg", "GAN_losses.svg", "Reconstruction_losses.svg"]
        imaged = [item for number in range(12, 7, -1) for item in epoch(number)]
        assert items == ["Experiment name = run", *drawings, "epoch 13", "images/epoch013_samples.jpg", *imaged]
        assert (whole, fits) == (True, True)
        assert tops[0] == tops[1], "side by side"


class TestGrowth:
    def test_an_epoch_costs_the_same_however_many_there_are(self, web: Path, drawn: list[int]) -> None:
        (web / "images").mkdir(parents=True)
        for number in range(1, 2000):
            for label in LABELS:
                (web / "images" / f"epoch{number:03d}_{label}.png").touch()
        growth = {}
        for old, folder in ((999, web.with_name("short")), (1999, web)):
            sink = train(folder, old + 1, last_epoch=old)
            before, place = (folder / "index.html").read_bytes(), (folder / "index.html").stat().st_ino
            for number in (old + 2, old + 3):
                sink.images(images(number))
                sink.samples(samples(number))
            after = (folder / "index.html").read_bytes()
            assert after.startswith(before)
            assert (folder / "index.html").stat().st_ino == place  # not another file in its place
            growth[old] = len(after) - len(before)
        assert growth[999] == growth[1999]
        assert [item for item in shown(web) if "/" not in item] == [f"epoch {n}" for n in range(2002, 0, -1)]

    def test_within_an_epoch_the_page_does_not_change(self, web: Path, drawn: list[int]) -> None:
        sink = train(web, 1)
        before = (web / "index.html").read_bytes()
        for images_seen in range(500, 5000, 100):
            sink.images(images(1, images_seen))
            sink.samples(samples(1, images_seen))
        sink.close()
        assert (web / "index.html").read_bytes() == before

    def test_curves_are_not_drawn_at_each_event_but_at_the_end(self, web: Path, drawn: list[int]) -> None:
        sink = open_sink(web)
        for number in range(1, 15):
            sink.scalars(scalars(number))
            sink.images(images(1, number * 100))
        assert len(drawn) == 2  # the first, and one after 1000 images
        sink.scalars(scalars(15))
        assert len(drawn) == 2
        sink.close()
        assert len(drawn) == 3
        assert "1,500 images seen" in (web / "status.svg").read_text()

    def test_curves_are_drawn_when_some_seconds_have_passed(
        self, web: Path, drawn: list[int], clock: list[float]
    ) -> None:
        sink = train(web, 1)
        for seconds, expected in ((4, 1), (2, 2), (4, 2), (2, 3)):
            clock[0] += seconds
            sink.scalars(scalars(5))
            assert len(drawn) == expected
        clock[0] += 6
        sink.images(images(1, 777))
        assert "777 images seen" in (web / "status.svg").read_text()

    def test_curves_that_change_do_not_change_the_page(self, web: Path, clock: list[float]) -> None:
        sink = open_sink(web, scalars(1))
        sink.images(images(1))
        page, curves = (web / "index.html").read_bytes(), (web / "GAN_losses.svg").read_bytes()
        clock[0] += 6
        sink.scalars(scalars(2))
        assert (web / "index.html").read_bytes() == page
        assert (web / "GAN_losses.svg").read_bytes() != curves
