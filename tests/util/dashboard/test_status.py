"""The status pane: what it says, and that nothing in it is taken for HTML."""

import logging
import os
import re
from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest

from util.curves.history import History
from util.dashboard.status import RunInfo, clock, status_html
from util.log import LastWarning
from util.sinks.events import Scalars

NOW = 1_700_000_000.0
HOSTILE = "<script>alert('x')</script> & \"y\" {0} {name} %s"


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: NOW)


@pytest.fixture
def info(tmp_path: Path) -> RunInfo:
    return RunInfo("horses", tmp_path, "cycle_gan", 10, "lsgan")


def at(position: float, *, seconds: float = 0.1, epoch_size: int = 1000, first_epoch: int = 1) -> Scalars:
    """Return a report of a run that began with ``first_epoch``."""
    epoch = max(1, -int(-position // 1))
    iters = round((position - (epoch - 1)) * epoch_size)
    seen = round((position - (first_epoch - 1)) * epoch_size)
    return Scalars(epoch, position, iters, seen, {"G": 1.0}, 2e-4, seconds, 0.0)


def text(
    info: RunInfo,
    events: Sequence[Scalars] = (),
    *,
    signals: Sequence[str] = (),
    warning: str = "",
    closed: bool = False,
) -> str:
    """Return what a reader sees, tags as line breaks."""
    html = status_html(info, History(events), signals, warning=warning, closed=closed)
    return unescape(re.sub(r"(<[^>]*>)+", "\n", html))


def row(shown: str, label: str) -> str | None:
    """Return what stands beside a label."""
    found = re.search(rf"^{label}\n(.*)$", shown, re.MULTILINE)
    return found[1] if found else None


@pytest.mark.parametrize("place", ["name", "model", "warning", "signal", "command"])
def test_what_looks_like_html_is_shown_as_it_is(place: str, info: RunInfo) -> None:
    (info.folder / "commands.txt").write_text(f"2024-01-01 12:00:00 {HOSTILE if place == 'command' else 'python'}\n")
    if place == "name":
        info = info._replace(name=HOSTILE)
    if place == "model":
        info = info._replace(model=HOSTILE)
    signals, warning = [HOSTILE] * (place == "signal"), HOSTILE * (place == "warning")
    html = status_html(info, History([at(0.5)]), signals, warning=warning, closed=False)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 1
    assert HOSTILE in unescape(html)


@pytest.mark.parametrize(
    ("position", "sentence", "width"),
    [
        (0.5, "epoch 1 of 10, 500 images seen", 5),
        (2.5, "epoch 3 of 10, 2,500 images seen", 25),
        (10, "epoch 10 of 10, 10,000 images seen", 100),
        (12, "epoch 12 of 10, 12,000 images seen", 100),
    ],
)
def test_progress_is_a_sentence_and_a_bar(position: float, sentence: str, width: float, info: RunInfo) -> None:
    html = status_html(info, History([at(position)]), [], warning="", closed=False)
    assert sentence in html
    assert f"width: {width:.1f}%" in html


def test_before_the_first_report_little_is_known(info: RunInfo) -> None:
    shown = text(info)
    assert row(shown, "progress") == "0 of 10 epochs"
    assert "waiting for the first report" in shown
    assert (row(shown, "speed"), row(shown, "time left"), row(shown, "last save")) == (None, None, "none yet")


@pytest.mark.parametrize(
    ("position", "seconds", "left"),
    [
        (2.5, 0.1, "0:12:30"),  # 7,500 images
        (9.5, 0.1, "0:00:50"),  # 500 images
        (0.5, 20.0, "2 days, 4:46:40"),  # 9,500 images
        (10.0, 0.1, "0:00:00"),
        (12.0, 0.1, "0:00:00"),
    ],
)
def test_the_time_left_is_that_of_the_images_left(position: float, seconds: float, left: str, info: RunInfo) -> None:
    shown = row(text(info, [at(position, seconds=seconds)]), "time left")
    images = max(0, 10_000 - 1000 * position)
    assert shown == f"{left}, until {clock(NOW + images * seconds)}"


def test_the_time_left_of_a_run_that_began_in_a_later_epoch(info: RunInfo) -> None:
    shown = row(text(info, [at(8.5, first_epoch=8)]), "time left")
    assert shown is not None
    assert shown.startswith("0:02:30, ")  # 1,500 images


def test_the_speed_is_that_of_the_newest_reports_and_no_pause_moves_it(info: RunInfo) -> None:
    slow, fast = [at(n / 100, seconds=1.0) for n in range(1, 100)], [at(1 + n / 100) for n in range(1, 21)]
    shown = text(info, [*slow, *fast[:-1], fast[-1]._replace(seconds=100.0)])
    assert row(shown, "speed") == "10 images per second"


@pytest.mark.parametrize(("seconds", "digits"), [(3.0, "0333"), (0.08, "125"), (0.0004, "25")])
def test_a_speed_is_written_as_people_write_it(seconds: float, digits: str, info: RunInfo) -> None:
    shown = row(text(info, [at(2.5, seconds=seconds)]), "speed")
    assert shown is not None
    assert re.sub(r"[.,]", "", shown).startswith(digits)
    assert "e" not in shown.split()[0]


@pytest.mark.parametrize("seconds", [0.0, float("nan")])
def test_without_a_speed_there_is_no_time_left(seconds: float, info: RunInfo) -> None:
    shown = text(info, [at(2.5, seconds=seconds)])
    assert (row(shown, "speed"), row(shown, "time left")) == (None, None)
    assert row(shown, "progress") is not None


@pytest.mark.parametrize(
    ("position", "closed", "state"), [(9.9, False, "training"), (9.9, True, "stopped"), (10.0, True, "finished")]
)
def test_the_state_of_the_run_is_told(position: float, closed: bool, state: str, info: RunInfo) -> None:
    shown = text(info, [at(position)], closed=closed)
    assert [word for word in ("training", "stopped", "finished") if f"cycle_gan, {word}" in shown] == [state]
    assert (row(shown, "time left") is None) is closed


def test_a_run_tells_when_it_was_drawn_and_when_it_ended(info: RunInfo) -> None:
    assert clock(NOW) in text(info, [at(1.0)])
    metrics = info.folder / "metrics.jsonl"
    metrics.touch()
    os.utime(metrics, (NOW - 3600, NOW - 3600))
    assert clock(NOW - 3600) in text(info, [at(1.0)], closed=True)


def test_signals_take_the_place_of_the_calm_sentence(info: RunInfo) -> None:
    calm = "nothing conspicuous in the numbers"
    assert calm in text(info, [at(1.0)])
    shown = text(info, [at(1.0)], signals=["D_A has won", "data loading takes 61% of the time"])
    assert "\nD_A has won\n" in shown
    assert "\ndata loading takes 61% of the time\n" in shown
    assert calm not in shown


def test_the_last_save_is_that_of_the_state(info: RunInfo) -> None:
    state = info.folder / "latest_state.pth"
    state.touch()
    os.utime(state, (NOW - 60, NOW - 60))
    assert row(text(info), "last save") == clock(NOW - 60)


def test_the_last_command_is_shown_without_its_date(info: RunInfo) -> None:
    assert row(text(info), "command") is None
    lines = ["2024-01-01 12:00:00 python train.py --name a", "2024-01-02 13:00:00 python train.py --name 'a b'"]
    (info.folder / "commands.txt").write_text("".join(f"{line}\n" for line in lines))
    assert row(text(info), "command") == "python train.py --name 'a b'"


@pytest.mark.parametrize("content", ["", "\n", "2024-01-01 12:00:00 python train.py\n\n"])
def test_a_record_of_commands_with_blank_lines_is_no_error(content: str, info: RunInfo) -> None:
    (info.folder / "commands.txt").write_text(content)
    assert row(text(info), "command") in (None, "python train.py")


def test_the_newest_warning_is_remembered_with_its_time() -> None:
    last, log = LastWarning(), logging.getLogger("tests.status")
    log.addHandler(last)
    try:
        assert last.text == ""
        log.warning("%s is left out", "a.png")
        log.info("and on it goes")
    finally:
        log.removeHandler(last)
    assert last.text == f"{clock(NOW)}: a.png is left out"


def test_the_speed_is_that_of_all_newest_images(info: RunInfo) -> None:
    laps = [at(0.01 * number, seconds=(0.1, 0.1, 0.1, 1.7)[number % 4]) for number in range(1, 41)]
    assert row(text(info, laps), "speed") == "2 images per second"
