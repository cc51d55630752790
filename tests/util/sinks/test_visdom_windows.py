import math

import numpy as np
import pytest

from tests.util.sinks.events import scalars

pytest.importorskip("visdom")

from util.sinks.visdom_client import Client
from util.sinks.visdom_windows import POINTS, enlarged, grid, label_table, measured, show_curves


class _Recording(Client):
    """Answers like a server that accepts everything, and keeps the last window."""

    def __init__(self) -> None:
        super().__init__("http://localhost", 1, "main", proxies=False)

    def _send(self, msg, *_: object, **__: object) -> object:
        self.sent = msg
        return msg.get("win")


def _sent(history) -> list[dict]:
    client = _Recording()
    show_curves(client, "1", "run", history)
    return client.sent["data"]


def test_the_grid_is_white_between_pictures_and_repeats_gray() -> None:
    sheet = grid([np.zeros((8, 8, 3), np.uint8), np.full((8, 8), 7, np.uint8), np.zeros((4, 8, 3), np.uint8)], 2)
    assert sheet.shape == (28, 28, 3)
    assert (sheet[4:12, 16:24] == 7).all()
    assert (sheet[:4] == 255).all()
    assert (sheet[20:24, 4:12] == 255).all()  # below the smaller picture
    assert (sheet[16:, 16:] == 255).all()  # the cell without a picture


def test_labels_are_laid_out_as_the_grid_and_escaped() -> None:
    table = label_table(["<script>", "b", "c"], 2)
    assert "<script>" not in table
    assert "&lt;script&gt;" in table
    assert [row.count("<td") for row in table.split("</tr>")] == [2, 1, 0]


def test_curves_are_thinned_and_hold_the_reported_values() -> None:
    history = [scalars(n, G=float(n)) for n in range(1, 5000)]
    measured_trace, mean_trace = _sent(history)
    assert (measured_trace["name"], mean_trace["name"]) == (measured("G"), "G")
    assert POINTS // 2 <= len(measured_trace["x"]) <= POINTS
    assert all(y == 4 * x for x, y in zip(measured_trace["x"], measured_trace["y"], strict=True))
    assert measured_trace["x"][-1] == history[-1].position


def test_nothing_that_is_not_finite_is_sent() -> None:
    history = [scalars(1, G=math.inf), scalars(2, G=1.0)._replace(position=math.nan), scalars(3, G=math.nan, D=1.0)]
    for trace in _sent(history):
        assert trace["x"] == [0.25, 0.75]
        assert all(y is None or math.isfinite(y) for y in trace["y"])


def test_small_pictures_are_enlarged_and_others_are_not() -> None:
    small = np.arange(32 * 20, dtype=np.uint8).reshape(20, 32)
    large = enlarged(small)
    assert large.shape == (80, 128)
    assert (large[::4, ::4] == small).all()
    assert enlarged(np.zeros((256, 256, 3), np.uint8)).shape == (256, 256, 3)
