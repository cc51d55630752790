import math
import re
from xml.etree import ElementTree

import pytest

from tests.util.sinks.events import scalars
from util.curves.history import History
from util.curves.svg import loss_charts, text_line
from util.sinks.events import Scalars


def charts(*events: Scalars) -> dict[str, str]:
    return loss_charts(History(events).losses, 600, 300)


def test_the_losses_fall_into_two_charts_with_names_and_last_values() -> None:
    drawn = charts(*(scalars(n, G_A=0.5, D_A=0.25, cycle_A=2.0) for n in range(1, 9)))
    assert list(drawn) == ["GAN losses", "Reconstruction losses"]
    gan, reconstruction = drawn.values()
    texts = ["".join(node.itertext()) for node in ElementTree.fromstring(gan).findall(".//{*}text")]
    assert {"GAN losses", "G_A 0.500", "D_A 0.250"} <= set(texts)
    assert "cycle_A" not in gan
    assert "cycle_A" in reconstruction


def test_a_long_run_is_drawn_with_few_points() -> None:
    (svg,) = charts(*(scalars(n, G_A=n % 7) for n in range(1, 5000))).values()
    assert all(len(re.findall("[ML]", path)) <= 300 for path in re.findall(r' d="([^"]*)"', svg))


@pytest.mark.parametrize("losses", [{"G_A": math.nan}, {"G_A": 0.0}, {"G_A": 1e9}, {"G_A": -1.0}])
def test_odd_values_draw_a_valid_chart(losses: dict[str, float]) -> None:
    for count in (1, 2):
        (svg,) = charts(*(scalars(n + 1, **losses) for n in range(count))).values()
        ElementTree.fromstring(svg)
        assert "nan" not in svg


def test_no_losses_are_no_charts_and_text_is_escaped() -> None:
    assert charts() == {}
    name = "G_<script>&\"'"
    for svg in (charts(scalars(1, **{name: 1.0}))["GAN losses"], text_line(name)):
        texts = ["".join(node.itertext()) for node in ElementTree.fromstring(svg).findall(".//{*}text")]
        assert any(name in text for text in texts)
        assert "<script>" not in svg


def test_a_drawing_stands_alone_and_has_colours_for_the_dark() -> None:
    for svg in (charts(scalars(1))["GAN losses"], text_line("epoch 1")):
        root = ElementTree.fromstring(svg)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert float(root.get("width", 0)) > float(root.get("height", 0)) > 0
        assert "prefers-color-scheme:dark" in svg
