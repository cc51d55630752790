"""What ``util.plot`` draws of one run, and of several."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.util.runs_to_plot import CYCLE, NAN, PIX2PIX, events, run
from util.curves.history import History
from util.curves.panels import EQUILIBRIUM
from util.plot import Run, draw, save
from util.sinks.events import Scalars

Drawn = Callable[..., dict[str, Any]]


@pytest.fixture
def drawn() -> Drawn:
    """Draw runs; the panels by title."""
    pytest.importorskip("matplotlib")

    def panels(*runs: Run, title: str = "") -> dict[str, Any]:
        figure = draw(runs, title)
        return {axes.get_title(loc="left"): axes for axes in figure.axes}

    return panels


def curves(axes: Any) -> dict[str, Any]:
    """Return the smoothed lines of a panel by name."""
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_child")}


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


# One run


def test_one_run_has_the_groups_of_the_dashboard(drawn: Drawn) -> None:
    panels = drawn(run())
    assert {title: set(curves(axes)) for title, axes in panels.items()} == {
        "GAN losses": {"D_A", "G_A", "D_B", "G_B"},
        "Reconstruction losses": {"cycle_A", "idt_A", "cycle_B", "idt_B"},
        "Discriminators: share of right verdicts": {"D_A_real"},
        "Variety of the samples (1: as real images)": {"variety_G_A", "variety_G_B"},
        "Learning rate": {"Learning rate"},
        "Images per second": {"Images per second"},
    }


def test_what_was_never_reported_has_no_panel(drawn: Drawn) -> None:
    panels = drawn(Run("n", History(event for event in events(accuracies={}) if isinstance(event, Scalars))))
    assert list(panels) == ["GAN losses", "Reconstruction losses", "Images per second", "Learning rate"]


@pytest.mark.parametrize(
    ("gan_mode", "label"),
    [("lsgan", "equilibrium 0.25"), ("vanilla", "equilibrium 0.693"), ("wgangp", None), ("", None)],
)
def test_the_equilibrium_of_the_gan_losses_is_a_line(drawn: Drawn, gan_mode: str, label: str | None) -> None:
    panels = drawn(run("n", gan_mode))
    assert texts(panels["GAN losses"]) == ([label] if label else [])
    assert texts(panels["Reconstruction losses"]) == []
    levels = panels["GAN losses"].lines[2 * 4 :]
    assert len(levels) == bool(label)
    for level in levels:
        assert level.get_ydata() == pytest.approx([EQUILIBRIUM[gan_mode]] * 2)
        assert level.get_linestyle() == "--"


def test_a_moving_average_is_on_top_of_faint_reports(drawn: Drawn) -> None:
    measured, smooth = drawn(run())["GAN losses"].lines[:2]
    assert list(measured.get_xdata()) == pytest.approx([number / 10 for number in range(1, 41)])
    assert set(measured.get_ydata()) == {0.8, 1.2}
    assert max(abs(smooth.get_ydata()[-10:] - 1.0)) < 0.1
    assert smooth.get_zorder() > measured.get_zorder()
    assert smooth.get_linewidth() > measured.get_linewidth()
    assert measured.get_alpha() < 0.5
    assert measured.get_color() == smooth.get_color()


def test_the_learning_rate_is_drawn_as_it_was(drawn: Drawn) -> None:
    reports = [event for event in events() if isinstance(event, Scalars)]
    halved = [report._replace(learning_rate=1e-4 if report.position > 2 else 2e-4) for report in reports]
    line = curves(drawn(Run("n", History(halved)))["Learning rate"])["Learning rate"]
    assert list(line.get_ydata()) == [event.learning_rate for event in halved]


def test_diverged_losses_and_a_first_report_can_be_drawn(drawn: Drawn, tmp_path: Path) -> None:
    first = run("first", reports=1)
    assert curves(drawn(first)["GAN losses"])["D_A"].get_marker() == "."
    diverged = run("diverged")
    diverged.history.add(Scalars(5, 4.1, 1, 4100, dict.fromkeys(CYCLE, NAN), 2e-4, 0.05, 0.0))
    assert len(curves(drawn(diverged)["GAN losses"])) == 4
    save(draw([first]), tmp_path / "first.svg")
    save(draw([diverged]), tmp_path / "diverged.svg")


def test_every_panel_shows_the_same_epochs(drawn: Drawn) -> None:
    panels = drawn(run())
    ((first, last),) = {axes.get_xlim() for axes in panels.values()}
    assert first == 0
    assert 4 < last < 4.1
    assert [axes.get_xlabel() for axes in panels.values()] == ["", "", "", "", "epoch", "epoch"]


def test_shares_are_percents_from_0_to_1(drawn: Drawn) -> None:
    axes = drawn(run())["Discriminators: share of right verdicts"]
    assert axes.get_ylim() == (0, 1.03)
    assert axes.yaxis.get_major_formatter()(0.25) == "25%"
    assert texts(axes) == ["cannot tell"]


# Several runs


def test_several_runs_have_a_panel_per_curve_and_a_colour_each(drawn: Drawn) -> None:
    panels = drawn(run("a"), run("b", "lsgan", level=2.0), run("c", reports=20))
    assert set(panels) == {*CYCLE, "D_A_real", "variety_G_A", "variety_G_B", "Learning rate", "Images per second"}
    assert all(list(curves(axes)) == ["a", "b", "c"] for axes in panels.values())
    colours = {tuple(line.get_color() for line in curves(axes).values()) for axes in panels.values()}
    assert len(colours) == 1
    assert len(set(colours.pop())) == 3
    assert texts(panels["D_A"]) == ["equilibrium 0.25"]
    assert texts(panels["cycle_A"]) == []


def test_runs_of_different_models_share_what_they_have_in_common(drawn: Drawn) -> None:
    panels = drawn(run("a"), run("b", "vanilla", PIX2PIX))
    assert list(curves(panels["Learning rate"])) == ["a", "b"]
    assert list(curves(panels["cycle_A"])) == ["a"]
    assert list(curves(panels["G_L1"])) == ["b"]
    assert texts(panels["G_A"]) == ["equilibrium 0.25"]
    assert texts(panels["G_GAN"]) == ["equilibrium 0.693"]
    blue = {line.get_color() for axes in panels.values() for name, line in curves(axes).items() if name == "a"}
    assert len(blue) == 1


def test_two_equilibria_are_two_lines(drawn: Drawn) -> None:
    assert texts(drawn(run("a"), run("b", "vanilla"))["G_A"]) == ["equilibrium 0.25", "equilibrium 0.693"]


def test_more_runs_than_colours_differ_in_their_dashes(drawn: Drawn) -> None:
    lines = curves(drawn(*[run(f"run{number}", reports=10) for number in range(10)])["G_A"])
    assert len({(line.get_color(), line.get_linestyle()) for line in lines.values()}) == 10


def test_names_are_shown_as_they_are(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    names = ["_h2z$lr$", "a<b>&c", r"x_1^2\$"]
    figure = draw([run(name) for name in names], "$E=mc^2$")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == names
    save(figure, tmp_path / "names.svg")
    svg = (tmp_path / "names.svg").read_text()
    for shown in ("_h2z$lr$", "a&lt;b&gt;&amp;c", r"x_1^2\$", "$E=mc^2$", "equilibrium 0.25"):
        assert f">{shown}</text>" in svg


def test_the_title_of_a_single_run_is_its_name(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert draw([run("a_$b$")]).get_suptitle() == "a_$b$"
    assert draw([run("a")], "Figure 1").get_suptitle() == "Figure 1"


def test_the_user_s_own_settings_of_matplotlib_are_neither_used_nor_changed(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    had_pyplot = "matplotlib.pyplot" in sys.modules
    with matplotlib.rc_context({"axes.grid": False, "svg.fonttype": "path", "savefig.dpi": 10}):
        save(draw([run()]), tmp_path / "a.svg")
        assert "D_A" in (tmp_path / "a.svg").read_text()
        assert matplotlib.rcParams["svg.fonttype"] == "path"
    assert ("matplotlib.pyplot" in sys.modules) == had_pyplot
