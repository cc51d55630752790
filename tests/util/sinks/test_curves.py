import math
import re
from xml.etree import ElementTree

import pytest

from tests.util.sinks.events import scalars
from util.sinks.curves import loss_charts


def test_the_losses_fall_into_two_charts_with_names_and_last_values() -> None:
    gan, reconstruction = loss_charts([scalars(n, G_A=0.5, D_A=0.25, cycle_A=2.0) for n in range(1, 9)], 600, 300)
    texts = ["".join(node.itertext()) for node in ElementTree.fromstring(gan).findall(".//{*}text")]
    assert {"GAN losses", "G_A 0.500", "D_A 0.250"} <= set(texts)
    assert "cycle_A" not in gan
    assert "cycle_A" in reconstruction


def test_a_long_run_is_drawn_with_few_points() -> None:
    (svg,) = loss_charts([scalars(n, G_A=n % 7) for n in range(1, 5000)], 600, 300)
    assert all(len(re.findall("[ML]", path)) <= 300 for path in re.findall(r' d="([^"]*)"', svg))


@pytest.mark.parametrize("losses", [{"G_A": math.nan}, {"G_A": 0.0}, {"G_A": 1e9}, {"G_A": -1.0}])
def test_odd_values_draw_a_valid_chart(losses: dict[str, float]) -> None:
    for count in (1, 2):
        (svg,) = loss_charts([scalars(n + 1, **losses) for n in range(count)], 600, 300)
        ElementTree.fromstring(svg)
        assert "nan" not in svg


def test_no_losses_are_no_charts_and_names_are_escaped() -> None:
    assert loss_charts([], 600, 300) == []
    assert "<script>" not in loss_charts([scalars(1, **{"G_<script>": 1.0})], 600, 300)[0]
