"""``web/index.html`` as a browser reads it: what is shown from top to bottom, and that each file is there."""

import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest

from tests.outages import fill, small_file_system
from tests.util.sinks.events import images, samples, scalars
from util.sinks.events import Samples, Scalars
from util.sinks.history import History
from util.sinks.html import HtmlSink

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
LABELS = ("real_A", "fake_B")


@pytest.fixture
def web(tmp_path: Path) -> Path:
    """The folder of the page, not there yet."""
    return tmp_path / "web"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the sink reads, to be changed."""
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> list[int]:
    """Grows with every drawing of the curves."""
    count: list[int] = []
    monkeypatch.setattr("util.sinks.html.loss_charts", lambda *_: count.append(1) or {})
    return count


def open_sink(web: Path, *past: Scalars, **options) -> HtmlSink:
    defaults = {"name": "run", "update_html_freq": 1000, "display_winsize": 256, "history": History(past)}
    return HtmlSink(web, **{**defaults, **options})


def train(web: Path, *epochs: int, sheets: bool = True, **options) -> HtmlSink:
    """Show images twice in every epoch, as a training does."""
    sink = open_sink(web, **options)
    for epoch in epochs:
        for images_seen in (epoch * 400 - 200, epoch * 400):
            sink.images(images(epoch, images_seen))
            if sheets:
                sink.samples(samples(epoch, images_seen))
    return sink


class Reader(HTMLParser):
    """Collects headings and images, and how the style orders them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []
        self.blocks: list[tuple[int, list[str]]] = [(-(10**9), [])]
        self._tag = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if match := re.fullmatch(r"order: (-\d+)", found.get("style") or ""):
            self.blocks.append((int(match[1]), []))
        if tag == "img":
            self.sources.append(unquote(found["src"] or ""))
            self.blocks[-1][1].append(self.sources[-1])
        if tag == "a":
            self.links.append(unquote(found["href"] or ""))
        self._tag = tag

    def handle_data(self, data: str) -> None:
        if self._tag == "h2" and data.strip():
            self.blocks[-1][1].append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""


def read(web: Path) -> Reader:
    """Read the page; all that it names must be there."""
    reader = Reader((web / "index.html").read_text(encoding="utf-8"))
    for name in (*reader.sources, *reader.links):
        assert (web / name).is_file(), name
    return reader


def shown(web: Path) -> list[str]:
    """Return headings and images from top to bottom."""
    (_, _drawings), *blocks = read(web).blocks
    return [item for _, items in sorted(blocks, key=lambda block: block[0]) for item in items]


def epoch(number: int, *labels: str, sheet: bool = True) -> list[str]:
    """Return what an epoch shows."""
    rows = [f"images/epoch{number:03d}_{label}.png" for label in labels or LABELS]
    return [f"epoch {number}", *rows, *([f"images/epoch{number:03d}_samples.jpg"] if sheet else [])]


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

    @pytest.mark.skipif(BROWSER is None, reason="there is no Chromium")
    def test_a_browser_shows_it_so(self, web: Path) -> None:
        sink = train(web, *range(8, 13), history=History([scalars(1)]), display_winsize=300)
        sink.samples(Samples(13, 0, np.full((40, 700, 3), 90, np.uint8)))  # wider than the window
        sink.close()
        look = (
            "<script>addEventListener('load', () => { const top = e => e.getBoundingClientRect().top;"
            "const seen = [...document.querySelectorAll('h1, h2, header img, figure img')];"
            "document.title = [...seen].sort((a, b) => top(a) - top(b) || a.x - b.x)"
            ".map(e => e.getAttribute('src') || e.textContent).join('|')"
            " + '|broken ' + seen.filter(e => e.complete && e.naturalWidth === 0).length"
            " + '|side by side ' + (top(seen.find(e => /008_real_A/.test(e.src))) === "
            "top(seen.find(e => /008_fake_B/.test(e.src))))"
            " + '|too wide ' + (document.documentElement.scrollWidth > innerWidth) })</script>"
        )
        (web / "look.html").write_text((web / "index.html").read_text() + look)
        flags = "--headless --no-sandbox --disable-gpu --allow-file-access-from-files --virtual-time-budget=4000"
        command = [BROWSER, *flags.split(), "--window-size=500,900", "--dump-dom", (web / "look.html").as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode or "</html>" not in done.stdout:
            pytest.skip(f"{BROWSER} does not start: {done.stderr[-200:]}")
        items = re.search("<title>(.*)</title>", done.stdout)[1].split("|")  # type: ignore[index]
        drawings = ["status.svg", "GAN_losses.svg", "Reconstruction_losses.svg"]
        imaged = [item for number in range(12, 7, -1) for item in epoch(number)]
        expected = [*drawings, "epoch 13", "images/epoch013_samples.jpg", *imaged]
        facts = ["broken 0", "side by side true", "too wide false"]
        assert items == ["Experiment name = run", *expected, *facts]


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


class TestResume:
    def test_in_mid_epoch_that_epoch_is_there_once(self, web: Path) -> None:
        train(web, 1, 2, 3)
        train(web, 3, 4, last_epoch=3)
        assert shown(web) == [*epoch(4), *epoch(3), *epoch(2), *epoch(1)]

    def test_epochs_of_an_older_run_are_left_out_until_they_are_trained_again(self, web: Path) -> None:
        train(web, 1, 2, 3, 4, 5)
        sink = train(web, 3, last_epoch=2)
        assert shown(web) == [*epoch(3), *epoch(2), *epoch(1)]
        sink.images(images(5))
        assert shown(web) == [*epoch(5, sheet=False), *epoch(3), *epoch(2), *epoch(1)]

    def test_a_new_run_shows_nothing_of_an_older_one(self, web: Path) -> None:
        train(web, 1, 2, 3)
        open_sink(web, last_epoch=0).images(images(1, labels=("real_B",)))
        assert shown(web) == epoch(1, "real_B", sheet=False)

    def test_that_is_not_told_where_it_is_takes_that_from_the_first_images(self, web: Path) -> None:
        train(web, 1, 2, 3, 4)
        train(web, 2)
        assert shown(web) == [*epoch(2), *epoch(1)]

    def test_that_ends_before_it_shows_images_leaves_a_whole_page(self, web: Path) -> None:
        train(web, 1, 2, 3)
        open_sink(web, scalars(8), last_epoch=2).close()
        assert {item for item in shown(web) if "/" not in item} == {"epoch 2", "epoch 1"}
        assert set(shown(web)) == {*epoch(2), *epoch(1)}

    def test_only_files_that_exist_and_are_images_are_listed(self, web: Path) -> None:
        train(web, 3, 4, 5)
        (web / "images" / "epoch003_real_A.png").unlink()
        (web / "images" / "epoch004_samples.jpg").write_text("no image")
        for label in LABELS:
            (web / "images" / f"epoch005_{label}.png").unlink()
        train(web, 7, last_epoch=6)
        left_of_5 = ["epoch 5", "images/epoch005_samples.jpg"]
        assert shown(web) == [*epoch(7), *left_of_5, *epoch(4, sheet=False), *epoch(3, "fake_B")]

    def test_after_a_kill_between_images_and_sheet_both_are_there(self, web: Path) -> None:
        train(web, 1).images(images(2))
        sink = open_sink(web, last_epoch=2)
        sink.samples(samples(2))
        assert sorted(shown(web)[:4]) == sorted(epoch(2))
        assert shown(web)[0] == "epoch 2"


class TestTrouble:
    def test_a_full_disk_warns_once_and_what_is_not_there_is_not_listed(
        self, web: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        sink = train(web, 1)
        with monkeypatch.context() as patch:
            patch.setattr("util.sinks.html.save_image", full)
            sink.images(images(2))
            sink.images(images(3))
        assert len(caplog.messages) == 1
        assert "No space left" in caplog.text
        assert shown(web) == epoch(1)
        sink.images(images(3))
        assert shown(web) == [*epoch(3, sheet=False), *epoch(1)]

    def test_images_that_were_refused_are_listed_when_they_are_there(self, web: Path) -> None:
        sink = train(web, 1)
        (web / "images" / "epoch002_fake_B.png").mkdir()  # takes the place of the second image
        sink.images(images(2))
        sink.samples(samples(2))
        assert shown(web)[:3] == epoch(2, "real_A")
        (web / "images" / "epoch002_fake_B.png").rmdir()
        sink.images(images(2))
        assert sorted(shown(web)[:4]) == sorted(epoch(2))

    def test_a_page_that_could_not_be_begun_is_begun_later(self, web: Path) -> None:
        web.mkdir()
        (web / "index.html").mkdir()  # takes its place
        sink = train(web, 1)
        (web / "index.html").rmdir()
        sink.images(images(2))
        assert shown(web) == [*epoch(2, sheet=False), *epoch(1)]

    def test_a_page_that_could_not_be_begun_again_is_still_that_page(
        self, web: Path, monkeypatch: pytest.MonkeyPatch, clock: list[float]
    ) -> None:
        replace = os.replace

        def refuse(source: Path, target: Path) -> None:
            if target.name == "index.html":
                raise OSError(28, "No space left on device")
            replace(source, target)

        sink = train(web, 1)
        clock[0] += 6
        with monkeypatch.context() as patch:
            patch.setattr("os.replace", refuse)
            sink.scalars(scalars(5))  # the first curves
            sink.images(images(1))
            assert shown(web) == epoch(1)
        sink.images(images(1))
        assert shown(web) == epoch(1)
        assert "GAN_losses.svg" in read(web).sources

    def test_a_page_that_was_deleted_comes_back_whole(self, web: Path) -> None:
        sink = train(web, 1, 2)
        (web / "index.html").unlink()
        sink.images(images(3))
        assert shown(web) == [*epoch(3, sheet=False), *epoch(2), *epoch(1)]
        shutil.rmtree(web)
        sink.images(images(4))
        assert shown(web) == epoch(4, sheet=False)

    def test_an_interrupted_write_leaves_the_old_page_whole(self, web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        train(web, 1)
        before = (web / "index.html").read_text()
        sink = open_sink(web, scalars(1), name="another")
        monkeypatch.setattr("os.replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            sink.close()
        assert (web / "index.html").read_text() == before

    def test_a_disk_that_is_full_for_a_while_leaves_whole_lines(self, tmp_path: Path) -> None:
        with small_file_system(tmp_path / "disk") as disk:
            web = disk / "web"
            sink = train(web, 1)
            ballast = fill(disk)
            for number in (2, 3):
                sink.images(images(number))
                sink.samples(samples(number))
                assert shown(web)[-len(epoch(1)) :] == epoch(1)
            ballast.unlink()
            sink.images(images(3))
            sink.samples(samples(3))
            sink.images(images(4))
            sink.close()
            assert [item for item in shown(web) if "/" not in item] in (
                ["epoch 4", "epoch 3", "epoch 1"],
                ["epoch 4", "epoch 3", "epoch 2", "epoch 1"],
            )
