"""``python -m util.plot``: which images it draws of which runs, and what it refuses."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from options.errors import UserError
from options.stored import OPTIONS_FILE
from tests.conftest import PROJECT
from util.panels import EQUILIBRIUM
from util.plot import Run, draw, main, read_runs, save
from util.run_folder import METRICS_FILE, find_metrics
from util.sinks.events import Event, Scalars, Scores
from util.sinks.history import History
from util.sinks.jsonl import JsonLinesSink

CYCLE = ("D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B")
PIX2PIX = ("G_GAN", "G_L1", "D_real", "D_fake")
NAN = math.nan


def events(names: tuple[str, ...] = CYCLE, *, reports: int = 40, level: float = 1.0, **more: Any) -> list[Event]:
    """Return a run of 10 reports per epoch; losses swing around their level."""
    accuracies = {"D_A_real": 0.75} if "cycle_A" in names else {"D_real": 0.6}
    result: list[Event] = []
    for number in range(1, reports + 1):
        losses = dict.fromkeys(names, level + 0.2 * (-1) ** number)
        epoch, position = (number - 1) // 10 + 1, number / 10
        report = Scalars(epoch, position, 100, number * 100, losses, 2e-4, 0.05, 0.0, accuracies=accuracies)
        result.append(report._replace(**more))
        if number % 10 == 0 and "cycle_A" in names:
            result.append(Scores(epoch, position, number * 100, {"variety_G_A": 0.9, "variety_G_B": 1.1}))
        elif number % 10 == 0:
            result.append(Scores(epoch, position, number * 100, {"l1": 20.0 + number, "variety_G": 0.9}))
    return result


def run(label: str = "horse2zebra", gan_mode: str = "lsgan", *args: Any, **settings: Any) -> Run:
    return Run(label, History(events(*args, **settings)), gan_mode)


def write_run(folder: Path, gan_mode: str | None = "lsgan", *args: Any, **settings: Any) -> Path:
    """Write what a training leaves in its folder."""
    folder.mkdir(parents=True)
    sink = JsonLinesSink(folder / METRICS_FILE, resume_at=0)
    for event in events(*args, **settings):
        sink.scalars(event) if isinstance(event, Scalars) else sink.scores(event)
    if gan_mode:
        (folder / OPTIONS_FILE).write_text(json.dumps({"gan_mode": gan_mode}))
    return folder


@pytest.fixture
def drawn() -> Any:
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


def test_one_run_has_the_groups_of_the_dashboard(drawn) -> None:
    panels = drawn(run())
    assert {title: set(curves(axes)) for title, axes in panels.items()} == {
        "GAN losses": {"D_A", "G_A", "D_B", "G_B"},
        "Reconstruction losses": {"cycle_A", "idt_A", "cycle_B", "idt_B"},
        "Discriminators: share of right verdicts": {"D_A_real"},
        "Variety of the samples (1: as real images)": {"variety_G_A", "variety_G_B"},
        "Learning rate": {"Learning rate"},
        "Images per second": {"Images per second"},
    }


def test_another_model_has_other_panels(drawn) -> None:
    panels = drawn(run("facades", "vanilla", PIX2PIX))
    assert set(curves(panels["GAN losses"])) == {"G_GAN", "D_real", "D_fake"}
    assert set(curves(panels["Reconstruction losses"])) == {"G_L1"}
    assert set(curves(panels["Validation: l1"])) == {"l1"}


def test_what_was_never_reported_has_no_panel(drawn) -> None:
    panels = drawn(Run("n", History(event for event in events(accuracies={}) if isinstance(event, Scalars))))
    assert list(panels) == ["GAN losses", "Reconstruction losses", "Images per second", "Learning rate"]


@pytest.mark.parametrize(("gan_mode", "label"), [("lsgan", "equilibrium 0.25"), ("vanilla", "equilibrium 0.693")])
def test_the_equilibrium_of_the_gan_losses_is_a_line(drawn, gan_mode: str, label: str) -> None:
    panels = drawn(run("n", gan_mode))
    assert texts(panels["GAN losses"]) == [label]
    assert texts(panels["Reconstruction losses"]) == []
    level = panels["GAN losses"].lines[-1]
    assert level.get_ydata() == pytest.approx([EQUILIBRIUM[gan_mode]] * 2)
    assert level.get_linestyle() == "--"


@pytest.mark.parametrize("gan_mode", ["wgangp", ""])
def test_where_there_is_no_known_equilibrium_there_is_no_line(drawn, gan_mode: str) -> None:
    panels = drawn(run("n", gan_mode))
    assert texts(panels["GAN losses"]) == []
    assert len(panels["GAN losses"].lines) == 2 * 4


def test_a_moving_average_is_on_top_of_faint_reports(drawn) -> None:
    measured, smooth = drawn(run())["GAN losses"].lines[:2]
    assert list(measured.get_xdata()) == pytest.approx([number / 10 for number in range(1, 41)])
    assert set(measured.get_ydata()) == {0.8, 1.2}
    assert max(abs(smooth.get_ydata()[-10:] - 1.0)) < 0.1
    assert smooth.get_zorder() > measured.get_zorder()
    assert smooth.get_linewidth() > measured.get_linewidth()
    assert measured.get_alpha() < 0.5
    assert measured.get_color() == smooth.get_color()


def test_the_learning_rate_is_drawn_as_it_was(drawn) -> None:
    reports = [event for event in events() if isinstance(event, Scalars)]
    halved = [report._replace(learning_rate=1e-4 if report.position > 2 else 2e-4) for report in reports]
    line = curves(drawn(Run("n", History(halved)))["Learning rate"])["Learning rate"]
    assert list(line.get_ydata()) == [event.learning_rate for event in halved]


def test_a_wild_report_does_not_flatten_the_rest(drawn) -> None:
    wild = events(reports=400)
    assert isinstance(wild[4], Scalars)
    wild[4] = wild[4]._replace(losses=dict.fromkeys(CYCLE, 1e6))
    low, high = drawn(Run("n", History(wild)))["GAN losses"].get_ylim()
    assert low == 0
    assert high < 3e5


def test_diverged_losses_and_a_first_report_can_be_drawn(drawn, tmp_path: Path) -> None:
    first = run("first", reports=1)
    assert curves(drawn(first)["GAN losses"])["D_A"].get_marker() == "."
    diverged = run("diverged")
    diverged.history.add(Scalars(5, 4.1, 1, 4100, dict.fromkeys(CYCLE, NAN), 2e-4, 0.05, 0.0))
    assert len(curves(drawn(diverged)["GAN losses"])) == 4
    save(draw([first]), tmp_path / "first.svg")
    save(draw([diverged]), tmp_path / "diverged.svg")


def test_every_panel_shows_the_same_epochs(drawn) -> None:
    panels = drawn(run())
    ((first, last),) = {axes.get_xlim() for axes in panels.values()}
    assert first == 0
    assert 4 < last < 4.1
    assert [axes.get_xlabel() for axes in panels.values()] == ["", "", "", "", "epoch", "epoch"]


def test_shares_are_percents_from_0_to_1(drawn) -> None:
    axes = drawn(run())["Discriminators: share of right verdicts"]
    assert axes.get_ylim() == (0, 1.03)
    assert axes.yaxis.get_major_formatter()(0.25) == "25%"
    assert texts(axes) == ["cannot tell"]


# Several runs


def test_several_runs_have_a_panel_per_curve_and_a_colour_each(drawn) -> None:
    panels = drawn(run("a"), run("b", "lsgan", level=2.0), run("c", reports=20))
    assert set(panels) == {*CYCLE, "D_A_real", "variety_G_A", "variety_G_B", "Learning rate", "Images per second"}
    assert all(list(curves(axes)) == ["a", "b", "c"] for axes in panels.values())
    colours = {tuple(line.get_color() for line in curves(axes).values()) for axes in panels.values()}
    assert len(colours) == 1
    assert len(set(colours.pop())) == 3
    assert texts(panels["D_A"]) == ["equilibrium 0.25"]
    assert texts(panels["cycle_A"]) == []


def test_runs_of_different_models_share_what_they_have_in_common(drawn) -> None:
    panels = drawn(run("a"), run("b", "vanilla", PIX2PIX))
    assert list(curves(panels["Learning rate"])) == ["a", "b"]
    assert list(curves(panels["cycle_A"])) == ["a"]
    assert list(curves(panels["G_L1"])) == ["b"]
    assert texts(panels["G_A"]) == ["equilibrium 0.25"]
    assert texts(panels["G_GAN"]) == ["equilibrium 0.693"]
    blue = {line.get_color() for axes in panels.values() for name, line in curves(axes).items() if name == "a"}
    assert len(blue) == 1


def test_two_equilibria_are_two_lines(drawn) -> None:
    assert texts(drawn(run("a"), run("b", "vanilla"))["G_A"]) == ["equilibrium 0.25", "equilibrium 0.693"]


def test_more_runs_than_colours_differ_in_their_dashes(drawn) -> None:
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


# Files and the command line


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG\r\n"), ("a.SVG", b"<?xml")])
def test_the_ending_decides_the_format(tmp_path: Path, capsys, name: str, magic: bytes) -> None:
    pytest.importorskip("matplotlib")
    write_run(tmp_path / "horse")
    assert main([str(tmp_path / "horse"), "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(magic)
    assert capsys.readouterr().out == f"{tmp_path / name}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"horse", name}


def test_what_is_there_is_replaced_only_by_a_whole_image(tmp_path: Path, monkeypatch, capsys) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    def fail(self: Figure, path: Path, **_: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device", str(path))

    (tmp_path / "curves.png").write_bytes(b"old")
    monkeypatch.setattr(Figure, "savefig", fail)
    assert main([str(write_run(tmp_path / "horse")), "--out", str(tmp_path / "curves.png")]) == 2
    assert (tmp_path / "curves.png").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"horse", "curves.png"}
    assert f"{tmp_path / 'curves.png'}: No space left on device" in capsys.readouterr().err


def test_the_equilibrium_comes_from_the_options_of_the_run(tmp_path: Path) -> None:
    with_options, without = write_run(tmp_path / "a", "vanilla"), write_run(tmp_path / "b", None)
    runs = read_runs([folder / METRICS_FILE for folder in (with_options, without)])
    assert [run.gan_mode for run in runs] == ["vanilla", ""]
    assert [run.history.reports for run in runs] == [40, 40]


def test_a_run_is_given_as_a_folder_a_name_or_a_file(tmp_path: Path, monkeypatch) -> None:
    file = write_run(tmp_path / "runs" / "horse") / METRICS_FILE
    monkeypatch.chdir(tmp_path)
    (tmp_path / "horse").mkdir()  # a folder that is no run does not hide the run of that name
    for given in ("runs/horse", "horse", str(file), "runs/horse/"):
        assert find_metrics(given, Path("runs")) == file


@pytest.mark.parametrize(
    ("folders", "labels"),
    [
        (["runs/a"], ["a"]),
        (["runs/a", "runs/b"], ["a", "b"]),
        (["x/a", "y/a", "y/b"], ["x/a", "y/a", "b"]),
        (["x/a/s", "y/a/s"], ["x/a/s", "y/a/s"]),
        (["a", "a/a"], ["{here}/a", "a/a"]),
        (["a", "b", "a"], ["a", "b"]),
    ],
)
def test_labels_are_the_shortest_that_differ(tmp_path: Path, folders: list[str], labels: list[str]) -> None:
    for folder in dict.fromkeys(folders):
        write_run(tmp_path / folder, reports=2)
    runs = read_runs([tmp_path / folder / METRICS_FILE for folder in folders])
    assert [run.label for run in runs] == [label.format(here=tmp_path.name) for label in labels]


def test_reports_that_were_put_aside_can_be_compared_with_the_newer_ones(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "horse")
    aside = folder / "metrics.1.jsonl"
    aside.write_bytes((folder / METRICS_FILE).read_bytes())
    assert [run.label for run in read_runs([aside, folder / METRICS_FILE])] == ["metrics.1.jsonl", "horse"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("nowhere", "there is no metrics.jsonl in nowhere or checkpoints/nowhere; pass a run"),
        ("nowhere --checkpoints_dir runs", "no metrics.jsonl in nowhere or runs/nowhere"),
        ("hollow", "there is no metrics.jsonl in hollow or"),
        ("empty", "there are no reports in {here}/empty/metrics.jsonl; wait for the first"),
        ("nans", "there are no reports in {here}/nans/metrics.jsonl"),
        ("notes.jsonl", "there are no reports in {here}/notes.jsonl"),
        ("alien.jsonl", "alien.jsonl is not what a training writes"),
        ("bare.jsonl", "bare.jsonl is not what a training writes"),
        ("torn", "train_opt.json"),
        ("horse --out curves.pdf", "--out curves.pdf ends in neither .png nor .svg; type for example"),
        ("horse --out curves", "--out curves ends in neither"),
        ("horse --titel x", "unrecognized arguments: --titel x"),
        ("", "the following arguments are required: RUN"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    words: str, sentence: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "horse")
    (write_run(tmp_path / "torn") / OPTIONS_FILE).write_text("{")
    write_run(tmp_path / "nans", learning_rate=NAN, seconds=0.0, losses={"G": NAN}, accuracies={}, reports=2)
    (tmp_path / "hollow").mkdir()
    write_run(tmp_path / "empty", reports=0)
    (tmp_path / "notes.jsonl").write_text('[1, 2]\n{"a": 1}\nwords\n')
    report = {"epoch": 1, "position": "one", "images_seen": 1}
    (tmp_path / "alien.jsonl").write_text(json.dumps(report | {"scores": {"l1": 1}}))
    (tmp_path / "bare.jsonl").write_text(json.dumps(report | {"scores": 5}))
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("python -m util.plot: error: ")
    assert sentence.format(here=tmp_path) in said
    assert said.count("\n") == 1
    assert not list(tmp_path.glob("curves*"))


def test_a_file_that_may_not_be_read_is_one_sentence(tmp_path: Path, monkeypatch, capsys) -> None:
    folder = write_run(tmp_path / "horse")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("util.plot.read_events", refuse)
    assert main([str(folder)]) == 2
    assert capsys.readouterr().err.endswith(f"{folder / METRICS_FILE}: Permission denied; pass another path\n")


def test_without_matplotlib_the_message_says_what_to_type(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main([str(write_run(tmp_path / "horse"))]) == 2
    said = capsys.readouterr().err
    assert "pip install matplotlib" in said
    assert said.count("\n") == 1


def test_help_is_for_those_who_ask_and_needs_no_matplotlib() -> None:
    code = "import sys; sys.modules['matplotlib'] = None; from util.plot import main; main(['--help'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for word in ("RUN", "--out FILE", "--title", "--checkpoints_dir", "curves.png", "For example:"):
        assert word in done.stdout


def test_a_long_run_is_drawn_from_few_points(drawn) -> None:
    panels = drawn(run("long", reports=20_000))
    longest = max(len(line.get_xdata()) for axes in panels.values() for line in axes.lines)
    assert longest <= 1000


def test_refused_options_are_the_user_s_to_repair(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "horse")
    (folder / OPTIONS_FILE).write_text("[]")
    with pytest.raises(UserError, match="holds no table of options"):
        read_runs([folder / METRICS_FILE])
