"""``python -m util.plot``: which runs it reads and which file it writes, and what it refuses."""

import json
import subprocess
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from options.stored import OPTIONS_FILE
from tests.conftest import PROJECT
from tests.util.runs_to_plot import NAN, write_run
from util.plot import main, read_runs
from util.run_folder import METRICS_FILE, find_metrics


@pytest.mark.parametrize(("name", "magic"), [("a.png", b"\x89PNG\r\n"), ("a.SVG", b"<?xml")])
def test_the_ending_decides_the_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, magic: bytes
) -> None:
    pytest.importorskip("matplotlib")
    write_run(tmp_path / "horse")
    assert main([str(tmp_path / "horse"), "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / name).read_bytes().startswith(magic)
    assert capsys.readouterr().out == f"{tmp_path / name}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"horse", name}


def test_what_is_there_is_replaced_only_by_a_whole_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    def fail(self: Figure, file: BinaryIO, **_: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

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


def test_a_run_is_given_as_a_folder_a_name_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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
        ("list", "holds no table of options"),
        ("horse --out curves.pdf", "--out curves.pdf ends in neither .png nor .svg; type for example"),
        ("horse --out curves", "--out curves ends in neither"),
        ("horse --titel x", "unrecognized arguments: --titel x"),
        ("", "the following arguments are required: RUN"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    words: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "horse")
    for name, text in (("torn", "{"), ("list", "[]")):
        (write_run(tmp_path / name) / OPTIONS_FILE).write_text(text)
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


def test_a_file_that_may_not_be_read_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_run(tmp_path / "horse")

    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("util.plot.read_events", refuse)
    assert main([str(folder)]) == 2
    assert capsys.readouterr().err.endswith(f"{folder / METRICS_FILE}: Permission denied; pass another path\n")


def test_without_matplotlib_the_message_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
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
