"""``python -m util.dashboard replay``: runs from their folders, without a training."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT, RunCli
from tests.util.dashboard.fake_visdom import fake_visdom
from tests.util.dashboard.servers import Serve
from tests.util.dashboard.sinks_under_test import drawn, numbered, source, windows
from tests.util.sinks.events import images, scalars
from util.curves.history import History
from util.dashboard.__main__ import main
from util.sinks.events import Scores, read_events
from util.sinks.html import HtmlSink
from util.sinks.jsonl import JsonLinesSink

pytest.importorskip("visdom")

CHARTS = {f"1-{name}" for name in ("gan", "reconstruction", "speed", "waiting", "rate")}


@pytest.fixture(autouse=True)
def _quietened(caplog: pytest.LogCaptureFixture) -> None:
    """Restore the level of the log that the command sets."""
    caplog.set_level(logging.INFO, logger="util.dashboard")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with 8 reports, two measurements, and the images of two epochs, as the sinks write it."""
    folder = tmp_path / "runs" / "a_run"
    folder.mkdir(parents=True)
    record = JsonLinesSink(folder / "metrics.jsonl", resume_at=0)
    page = HtmlSink(folder / "web", name="a_run", update_html_freq=100, display_winsize=64, history=History())
    for number in range(1, 9):
        record.scalars(scalars(number))
        if number % 4 == 0:
            epoch = number // 4
            record.scores(Scores(epoch, float(epoch), 100 * number, {"validation": 1 / number}))
            page.images(images(epoch, 100 * number, labels=("real_A", "fake_B", "a_last")))
            page.samples(numbered(epoch))
    page.close()
    return folder


def replay(*words: object) -> int:
    return main(["replay", *[str(word) for word in words]])


@pytest.mark.slow
def test_the_folder_of_a_training_shows_what_the_training_has_shown(
    serve: Serve,
    run_cli: RunCli,
    unaligned_root: Path,
    tiny: list[str],
    free_port: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    serve()
    flags = f"--netG resnet_1blocks --name cg --display_id 1 --display_port {free_port}".split()
    assert run_cli("train", ["--dataroot", unaligned_root, *tiny, *flags]).code == 0
    live = windows(free_port, "cg")
    folder = tmp_path / "checkpoints" / "cg"
    (tmp_path / "checkpoints").rename(tmp_path / "moved")
    command = [sys.executable, "-m", "util.dashboard", "replay", tmp_path / "moved" / "cg", "--display_port", free_port]
    command += ["--display_env", "again"]
    done = subprocess.run([str(word) for word in command], cwd=PROJECT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"http://localhost:{free_port}/env/again\n"
    again = windows(free_port, "again")
    assert set(again) == set(live)
    for window in sorted(set(live) - {"1-status", "1-samples"}):
        assert again[window]["content"] == live[window]["content"], window
        assert again[window]["title"] == f"cg: {live[window]['title']}"
    assert again["1-samples"]["content"] == live["1-samples"]["content"][-1:], "the page keeps one sheet of an epoch"
    for text in ("cycle_gan, finished", "epoch 1 of 1, 3 images seen"):
        assert text in again["1-status"]["content"]
    assert not folder.exists(), "it was written to"


def test_everything_in_the_folder_is_shown_and_saved(
    serve: Serve, run: Path, free_port: int, envs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    before = sorted((path, path.stat().st_mtime_ns) for path in run.rglob("*"))
    assert replay(run, "--display_port", free_port) == 0
    assert capsys.readouterr() == (f"http://localhost:{free_port}/env/a-run\n", "")
    shown = windows(free_port, "a-run")
    assert set(shown) == CHARTS | {"1-status", "1-validation", "1-samples", "1-current"}
    x = [number / 4 for number in range(1, 9)]
    assert drawn(shown["1-gan"]["content"]["data"], "G_A") == (x, [0.5] * 8)
    assert drawn(shown["1-validation"]["content"]["data"], "validation") == ([1.0, 2.0], [0.25, 0.125])
    assert [item["src"] for item in shown["1-samples"]["content"]] == [source(numbered(n)) for n in (1, 2)]
    assert shown["1-current"]["type"] == "image"
    assert (envs / "a-run.json").is_file()
    assert sorted((path, path.stat().st_mtime_ns) for path in run.rglob("*")) == before


def test_a_replay_again_replaces_the_first(serve: Serve, run: Path, free_port: int) -> None:
    serve()
    assert replay(run, "--display_port", free_port) == 0
    first = windows(free_port, "a-run")
    os.remove(run / "web" / "images" / "epoch001_samples.jpg")
    assert replay(run, "--display_port", free_port) == 0
    again = windows(free_port, "a-run")
    assert set(again) == set(first)
    assert [item["src"] for item in again["1-samples"]["content"]] == [source(numbered(2))]


def test_several_runs_are_found_by_name_and_share_an_environment(
    serve: Serve, run: Path, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(run, run.with_name("other"))
    serve()
    flags = ["--checkpoints_dir", run.parent, "--display_port", free_port, "--display_env", "both"]
    assert replay("a_run", "other", *flags, "--display_ncols", 0) == 0
    assert capsys.readouterr().out.splitlines() == [f"http://localhost:{free_port}/env/both"] * 2
    shown = windows(free_port, "both")
    assert {name for name in shown if name.endswith("-gan")} == {"1-gan", "2-gan"}
    assert (shown["1-gan"]["title"], shown["2-gan"]["title"]) == ("a_run: GAN losses", "other: GAN losses")
    assert {"1-current-real_A", "2-current-fake_B", "2-current-a_last"} < set(shown)


def test_without_a_server_one_is_started(
    run: Path, free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    from util.dashboard import server

    started: list[server.BackgroundServer] = []
    start = server.start_background

    def watched(port: int, **options: bool) -> server.BackgroundServer:
        started.append(start(port, env_path=tmp_path / "envs", **options))
        return started[-1]

    request.addfinalizer(lambda: [one.stop() for one in started])
    monkeypatch.setattr(server, "start_background", watched)
    assert replay(run, "--display_port", free_port) == 0
    assert len(started) == 1
    assert "1-gan" in windows(free_port, "a-run"), "the server ended with the command"


def test_a_server_that_refuses_is_one_sentence_and_exit_code_2(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with fake_visdom(200, "false") as server:
        assert replay(run, "--display_port", server.port) == 2
    assert capsys.readouterr() == (
        "",
        f"python -m util.dashboard: error: no Visdom server took the run at http://localhost:{server.port} (it did not "
        f"accept window 1-status); start one: python -m util.dashboard --port {server.port}\n",
    )


def test_no_server_on_another_machine_is_one_sentence(
    run: Path, free_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay(run, "--display_server", "http://127.0.0.2", "--display_port", free_port) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert f"no Visdom server took the run at http://127.0.0.2:{free_port} (nothing answers there)" in err


def test_a_run_without_reports_is_refused_and_so_are_those_that_were_put_aside(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert replay((run / "metrics.jsonl").rename(run / "metrics.1.jsonl")) == 2
    assert "metrics.1.jsonl was put aside; give the folder of a run" in capsys.readouterr().err
    (run / "metrics.jsonl").write_text("no report\n")
    assert replay(run) == 2
    assert "there are no reports of a training in" in capsys.readouterr().err


@pytest.mark.parametrize("lost", ["epoch002_real_A.png", "epoch001_samples.jpg", "epoch002_samples.jpg"])
def test_a_damaged_image_is_left_out(
    serve: Serve, run: Path, free_port: int, lost: str, capsys: pytest.CaptureFixture[str]
) -> None:
    serve()
    (run / "web" / "images" / lost).write_bytes(b"\xff\xd8 no image")
    assert replay(run, "--display_port", free_port) == 0
    assert set(windows(free_port, "a-run")) >= CHARTS | {"1-samples", "1-current"}


def test_a_run_without_page_is_curves_alone(serve: Serve, run: Path, free_port: int) -> None:
    serve()
    shutil.rmtree(run / "web")
    assert replay(run, "--display_port", free_port) == 0
    assert set(windows(free_port, "a-run")) == CHARTS | {"1-status", "1-validation"}
    assert len(list(read_events(run / "metrics.jsonl"))) == 10
