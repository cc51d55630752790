"""The charts of the dashboard: what is drawn where, in a form that a browser takes."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest

from tests.util.sinks.events import scalars
from util.curves.history import History
from util.curves.traces import smooth
from util.dashboard.plots import Chart, charts
from util.sinks.events import Scalars, Scores

NAN = math.nan
ALL = ["gan", "reconstruction", "accuracy", "speed", "waiting", "memory", "rate", "variety", "validation"]


def full(number: int = 1) -> Scalars:
    """Return a report with everything in it."""
    losses = {"D_A": 0.2, "G_A": 0.5, "cycle_A": 1.0, "idt_A": 0.7, "G_L1": 3.0}
    accuracies = {"D_A_real": 0.75, "D_A_fake": 0.6}
    return scalars(number, **losses)._replace(accuracies=accuracies, memory=2.0**31, data_seconds=0.1)


def drawn(history: History, gan_mode: str = "lsgan") -> dict[str, Chart]:
    return {chart.window: chart for chart in charts(history, gan_mode)}


def names(chart: Chart) -> set[str]:
    """Return what the legend shows."""
    return {trace["name"] for trace in chart.figure["data"] if trace.get("showlegend", True)}


def trace(chart: Chart, name: str) -> dict[str, Any]:
    found: dict[str, Any]
    (found,) = [trace for trace in chart.figure["data"] if trace["name"] == name]
    return found


def losses(value: Callable[[int], float], count: int) -> Chart:
    """Draw a run whose only loss is G."""
    return drawn(History(scalars(number, G=value(number)) for number in range(1, count + 1)), "wgangp")["gan"]


@pytest.fixture
def history() -> History:
    return History([full(1), full(2), Scores(1, 0.4, 200, {"validation": 0.3, "variety_G_A": 0.8, "variety_G_B": 0.7})])


def test_every_number_has_its_chart_in_reading_order(history: History) -> None:
    assert [chart.window for chart in charts(history, "wgangp")] == ALL
    by_window = {window: names(chart) for window, chart in drawn(history, "wgangp").items()}
    assert by_window == {
        "gan": {"D_A", "G_A"},
        "reconstruction": {"cycle_A", "idt_A", "G_L1"},
        "accuracy": {"D_A_real", "D_A_fake"},  # the level is in the chart alone
        "validation": {"validation"},
        "variety": {"variety_G_A", "variety_G_B"},
        "speed": {"Images per second"},
        "waiting": {"waiting"},
        "memory": {"memory"},
        "rate": {"Learning rate"},
    }


def test_what_was_not_reported_has_no_chart() -> None:
    assert charts(History(), "lsgan") == []
    bare = History([scalars(1, G=1.0)._replace(seconds=0.0)])
    assert list(drawn(bare)) == ["gan", "rate"]
    assert "gan" not in drawn(History([scalars(1, G=NAN)]))


@pytest.mark.parametrize(("gan_mode", "level"), [("lsgan", 0.25), ("vanilla", 0.693147), ("wgangp", None)])
def test_the_equilibrium_of_the_adversarial_loss_is_marked(
    gan_mode: str, level: float | None, history: History
) -> None:
    found = drawn(history, gan_mode)
    lines = [trace for trace in found["gan"].figure["data"] if "equilibrium" in trace["name"]]
    assert len(lines) == (level is not None)
    for line in lines:
        assert line["y"] == pytest.approx([level, level], rel=1e-5)
        assert line["x"] == [0.25, 0.5]
        assert line["name"] == f"equilibrium {level:.3g}"
    assert not any("equilibrium" in name for window in ALL[1:] for name in names(found[window]))


@pytest.mark.parametrize("bad", [NAN, math.inf, -math.inf])
def test_every_figure_is_valid_json_whatever_is_reported(bad: float) -> None:
    broken = full(2)._replace(
        losses={"D_A": bad, "new": bad}, accuracies={"D_A_real": bad}, seconds=bad, memory=0.0, learning_rate=bad
    )
    nowhere = full(3)._replace(position=bad)
    found = charts(History([full(1), broken, nowhere, Scores(1, 0.5, 200, {"validation": bad, "x": 1.0})]), "lsgan")
    for chart in found:
        json.dumps(chart.figure, allow_nan=False)
    gan = next(chart for chart in found if chart.window == "gan")
    assert trace(gan, "D_A (measured)")["y"] == [0.2, None]


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-30, 1e30])
def test_odd_values_leave_the_axis_its_length(value: float) -> None:
    low, high = losses(lambda _: value, 3).figure["layout"]["yaxis"]["range"]
    assert low < high
    assert low <= value <= high
    assert low <= 0


@pytest.mark.parametrize("count", [999, 1000, 1001, 5000])
def test_a_line_has_at_most_a_thousand_points_and_ends_with_the_newest(count: int) -> None:
    for line in losses(float, count).figure["data"]:
        assert min(count, 500) <= len(line["x"]) == len(line["y"]) <= 1000
        assert line["x"][-1] == count / 4
    measured = trace(losses(float, count), "G (measured)")
    assert measured["y"] == pytest.approx([4 * x for x in measured["x"]], rel=1e-4)


def test_each_loss_is_drawn_as_reported_and_on_top_as_its_mean() -> None:
    values = [1.0, 5.0, 3.0, 8.0, 2.0, 2.0]
    chart = losses(lambda number: values[number - 1], 6)
    measured, mean = chart.figure["data"]
    assert (measured["name"], mean["name"]) == ("G (measured)", "G")
    assert measured["y"] == values
    assert mean["y"] == pytest.approx(smooth(values), rel=1e-4)
    assert measured["line"]["color"].startswith(mean["line"]["color"])
    assert measured["showlegend"] is False


def test_a_loss_keeps_its_colour_in_every_chart_and_no_two_share_one(history: History) -> None:
    found = drawn(history, "wgangp")
    shown = [(window, name) for window in ("gan", "reconstruction") for name in sorted(names(found[window]))]
    colours = [trace(found[window], name)["line"]["color"] for window, name in shown]
    assert len(set(colours)) == 5


@pytest.mark.parametrize("spike", [30.0, 1e4])
def test_one_wild_report_does_not_squeeze_all_others(spike: float) -> None:
    chart = losses(lambda number: spike if number == 500 else 1.0 + 0.1 * math.sin(number), 1000)
    low, high = chart.figure["layout"]["yaxis"]["range"]
    assert low == 0
    assert 1.1 < high < 5


def test_shares_are_percentages_from_none_to_all(history: History) -> None:
    for window in ("accuracy", "waiting"):
        axis = drawn(history)[window].figure["layout"]["yaxis"]
        assert axis["tickformat"] == ".0%"
        assert axis["range"] == pytest.approx([0, 1], abs=0.05)
    assert trace(drawn(history)["accuracy"], "cannot tell")["y"] == [0.5, 0.5]


def test_a_validation_is_drawn_close_up() -> None:
    history = History([scalars(1), *(Scores(1, float(n), n, {"validation": 100 + n / 10}) for n in range(20))])
    low, high = drawn(history)["validation"].figure["layout"]["yaxis"]["range"]
    assert 95 < low < high < 105


def test_the_legend_leaves_room_for_the_plot(history: History) -> None:
    for chart in charts(history, "lsgan"):
        margin, legend = chart.figure["layout"]["margin"], chart.figure["layout"]["legend"]
        assert chart.height - margin["t"] - margin["b"] > 80
        assert legend["y"] < 0
