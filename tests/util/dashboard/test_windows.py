"""The windows of a run: which are sent, in which order, and how often, to a server that notes everything."""

import base64
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
from PIL import Image

from tests.util.sinks.events import images, scalars
from util.curves.history import History
from util.dashboard.saved import LIMIT, Sheets
from util.dashboard.status import RunInfo
from util.dashboard.windows import Layout, View, Windows
from util.images import jpeg
from util.sinks.events import Scores

if TYPE_CHECKING:
    from util.dashboard.client import Client

INFO = RunInfo("horses", Path("/nonexistent"), "cycle_gan", 10, "lsgan")
LAYOUT = Layout(1, "", 4)


class Server:
    """Stands in for the client: keeps each window's contents, and what was sent since the last ``news``."""

    def __init__(self) -> None:
        self.windows: dict[str, list[dict[str, Any]]] = {}
        self.titles: dict[str, str] = {}
        self.sizes: dict[str, tuple[int, int]] = {}
        self._calls: list[tuple[str, str]] = []

    def show(self, window: str, content: dict[str, Any], *, title: str, size: tuple[int, int]) -> None:
        json.dumps(content, allow_nan=False)
        self._calls.append(("show", window))
        self.windows[window], self.titles[window], self.sizes[window] = [content], title, size

    def append(self, window: str, content: dict[str, Any]) -> None:
        self._calls.append(("append", window))
        self.windows[window].append(content)

    def fill(self, window: str, images: list[dict[str, str]]) -> None:
        self._calls.append(("fill", window))
        self.windows[window] = [{"data": [{"type": "image_history", "content": image}]} for image in images]

    def digest(self, window: str) -> str:
        return str(self.windows.get(window, False))

    def remove(self, window: str) -> None:
        self.windows.pop(window, None)

    def news(self, window: str) -> list[str]:
        """Return how a window was sent to since the last question about any."""
        calls, self._calls = self._calls, []
        return [call for call, name in calls if name == window]

    def images(self, window: str) -> list[bytes]:
        """Return the JPEG files of a window."""
        sources = [content["data"][0]["content"]["src"] for content in self.windows[window]]
        assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
        return [base64.b64decode(source.split(",")[1]) for source in sources]


def windows_of(server: Server, layout: Layout = LAYOUT) -> Windows:
    return Windows(cast("Client", server), INFO, layout)


def view(**values: Any) -> View:
    """Return a view of a run with everything in it, or with other ``values``."""
    event = scalars(1, D_A=0.2, cycle_A=1.0)._replace(accuracies={"D_A_real": 0.7}, memory=1e9)
    scores = Scores(1, 0.25, 100, {"validation": 0.3, "variety_G_A": 0.9})
    full = View(History([event, scores]), [], "", images(), sheets(1), False)
    return full._replace(**values)


def sheets(count: int) -> Sheets:
    result = Sheets()
    for number in range(count):
        result.add(an_image(number))
    return result


def an_image(number: int) -> bytes:
    return jpeg(np.full((20, 70, 3), number % 256, np.uint8))


@pytest.fixture
def server() -> Server:
    return Server()


def test_windows_come_in_reading_order(server: Server) -> None:
    windows_of(server).show(view(), whole=True)
    order = "status gan reconstruction samples current accuracy speed waiting memory rate variety validation"
    assert list(server.windows) == [f"1-{name}" for name in order.split()]


def test_before_the_first_report_there_is_the_status_alone(server: Server) -> None:
    windows = windows_of(server)
    windows.show(view(history=History(), images=None, sheets=Sheets()), whole=True)
    assert list(server.windows) == ["1-status"]
    windows.show(view(), whole=False)
    assert list(server.windows)[:5] == ["1-status", "1-gan", "1-reconstruction", "1-samples", "1-current"]


def test_places_are_kept_for_images_and_filled_when_they_come(server: Server) -> None:
    windows = windows_of(server)
    for _ in range(2):
        windows.show(view(images=None, sheets=Sheets()), whole=False)
    before = list(server.windows)
    assert before[3:5] == ["1-samples", "1-current"]
    assert all(server.windows[name][0]["data"][0]["type"] == "text" for name in before[3:5])
    windows.show(view(), whole=False)
    assert list(server.windows) == before
    assert server.images("1-samples") == [an_image(0)]
    assert len(server.images("1-current")) == 1


def test_no_place_is_kept_that_nothing_will_fill(server: Server) -> None:
    windows = windows_of(server)
    windows.show(view(images=None, sheets=None), whole=True)
    assert "1-samples" not in server.windows
    windows.show(view(images=None, sheets=Sheets(), closed=True), whole=False)
    assert not {"1-samples", "1-current"} & set(server.windows), "the training is over"


def test_only_new_sheets_are_sent(server: Server) -> None:
    windows, shown = windows_of(server), sheets(3)
    windows.show(view(sheets=shown), whole=True)
    assert server.news("1-samples") == ["show", "fill", "append"]
    windows.show(view(sheets=shown), whole=False)
    assert server.news("1-samples") == []
    shown.add(an_image(3))
    shown.add(an_image(4))
    windows.show(view(sheets=shown), whole=False)
    assert server.news("1-samples") == ["append", "append"]
    assert server.images("1-samples") == shown.items == [an_image(number) for number in range(5)]


def test_when_older_sheets_are_left_out_the_others_are_sent_anew(server: Server) -> None:
    windows, shown = windows_of(server), sheets(LIMIT)
    windows.show(view(sheets=shown), whole=True)
    server.news("1-samples")
    shown.add(an_image(LIMIT))
    windows.show(view(sheets=shown), whole=False)
    assert server.images("1-samples") == shown.items
    assert len(shown.items) < LIMIT
    assert server.news("1-samples") == ["show", "fill", "append"]
    assert server.images("1-samples")[-1] == an_image(LIMIT)


def test_sheets_that_are_cut_twice_between_two_updates_are_sent_whole(server: Server) -> None:
    windows, shown = windows_of(server), sheets(5)
    windows.show(view(sheets=shown), whole=True)
    for number in range(5, 4 * LIMIT):
        shown.add(an_image(number))
    windows.show(view(sheets=shown), whole=False)
    assert server.images("1-samples") == shown.items


def test_the_current_image_is_sent_once_and_curves_each_time(server: Server) -> None:
    windows, event = windows_of(server), images()
    for expected in (["show"], []):
        windows.show(view(images=event), whole=False)
        assert server.news("1-current") == expected
    windows.show(view(images=images(2, 800)), whole=False)
    assert server.news("1-current") == ["show"]
    windows.show(view(), whole=False)
    assert server.news("1-gan") == ["show"]
    windows.show(view(images=event), whole=True)
    assert server.news("1-current") == ["show"]


@pytest.mark.parametrize("stale", ["accuracy", "validation", "variety", "reconstruction", "samples", "current"])
def test_what_an_older_run_left_is_removed_and_nothing_of_others(stale: str, server: Server) -> None:
    others = ["2-accuracy", "1-my-notes", "accuracy"]
    for window in (f"1-{stale}", *others):
        server.show(window, {"data": []}, title="old", size=(1, 1))
    bare = view(history=History([scalars(1, G=1.0)]), images=None, sheets=None)
    windows_of(server, LAYOUT._replace(columns=0)).show(bare, whole=True)
    assert f"1-{stale}" not in server.windows
    assert set(others) <= set(server.windows)


def test_a_window_per_image_takes_the_place_of_the_common_one(server: Server) -> None:
    server.show("1-current", {"data": []}, title="with --display_ncols 4", size=(1, 1))
    windows, event = windows_of(server, LAYOUT._replace(columns=0)), images(labels=("real_A", "fake_B", "rec_A"))
    for expected in (["show"], []):
        windows.show(view(images=event), whole=False)
        assert server.news("1-current-fake_B") == expected
    for label in event.images:
        assert server.titles[f"1-current-{label}"] == label
        assert len(server.images(f"1-current-{label}")) == 1
    windows.show(view(images=event), whole=True)
    assert "1-current" not in server.windows


def test_names_begin_with_the_number_and_titles_with_the_prefix(server: Server) -> None:
    windows_of(server, Layout(7, "run 7: ", 4)).show(view(), whole=True)
    assert all(name.startswith("7-") for name in server.windows)
    assert all(title.startswith("run 7: ") for title in server.titles.values())
    assert server.titles["7-gan"] == "run 7: GAN losses"


@pytest.mark.parametrize("columns", [0, 1, 4])
def test_an_image_fits_its_window(columns: int, server: Server) -> None:
    windows_of(server, LAYOUT._replace(columns=columns)).show(view(), whole=True)
    shown = [
        name for name in server.windows if name in ("1-samples", "1-current", "1-current-real_A", "1-current-fake_B")
    ]
    assert len(shown) == (3 if columns == 0 else 2)
    for name in shown:
        with Image.open(io.BytesIO(server.images(name)[0])) as image:
            width, height = server.sizes[name]
            assert width > 0
            assert height > image.height * width / image.width


def test_the_status_tells_name_signals_and_warning(server: Server) -> None:
    windows_of(server).show(view(signals=["D_A has won"], warning="a.png is left out"), whole=False)
    (content,) = server.windows["1-status"]
    html = content["data"][0]["content"]
    assert all(text in html for text in ("horses", "D_A has won", "a.png is left out", "training"))
    assert server.titles["1-status"] == "horses"
