"""``train.py`` with a dashboard, from the command line."""

import logging
import os
import re
import signal
from pathlib import Path

import pytest

from models.stepper import Stepper
from tests.conftest import RunCli
from tests.util.dashboard.fake_visdom import fake_visdom
from tests.util.dashboard.servers import Serve, runs, wait_for
from tests.util.dashboard.sinks_under_test import ALL, drawn, windows
from util.dashboard.server import listens
from util.sinks.events import Scalars, read_events

pytest.importorskip("visdom")

EVERYTHING = ALL - {"1-validation"}


@pytest.fixture(autouse=True)
def _calm(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Undo what a test of the command has quietened, keep saved dashboards here, and let a busy machine take long."""
    caplog.set_level(logging.INFO, logger="util.dashboard")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("util.dashboard.sink.CLOSE_SECONDS", 30)


@pytest.fixture
def words(unaligned_root: Path, tiny: list[str], free_port: int) -> list[object]:
    more = f"--netG resnet_1blocks --name run --display_id 1 --display_port {free_port}"
    return ["--dataroot", unaligned_root, *tiny, *more.split()]


def reports(folder: Path) -> list[float]:
    return [event.position for event in read_events(folder / "metrics.jsonl") if isinstance(event, Scalars)]


def test_everything_is_shown_and_a_resumed_run_goes_on(
    serve: Serve, run_cli: RunCli, words: list[object], free_port: int, tmp_path: Path
) -> None:
    serve()
    done = run_cli("train", words)
    assert (done.code, done.stderr) == (0, "")
    url = f"http://localhost:{free_port}/env/run"
    assert done.stdout.count(url) == 2
    assert f"Visdom dashboard: {url}\n" in done.stdout
    assert done.stdout.endswith(f"Visdom dashboard saved: {url}\n")
    folder = tmp_path / "checkpoints" / "run"
    shown = windows(free_port)
    assert set(shown) == EVERYTHING
    assert drawn(shown["1-gan"]["content"]["data"], "G_A")[0] == pytest.approx(reports(folder), rel=1e-5)
    assert len(reports(folder)) == 3
    assert (shown["1-samples"]["type"], len(shown["1-samples"]["content"])) == ("image_history", 2)
    assert shown["1-current"]["type"] == "image"
    assert "finished" in shown["1-status"]["content"]
    assert "epoch 1 of 1, 3 images seen" in shown["1-status"]["content"]

    done = run_cli("train", [*words, "--n_epochs", 2, "--continue_train"])
    assert (done.code, done.stderr) == (0, "")
    shown = windows(free_port)
    assert set(shown) == EVERYTHING
    assert drawn(shown["1-gan"]["content"]["data"], "G_A")[0] == pytest.approx(reports(folder), rel=1e-5)
    assert len(reports(folder)) == 6
    # The page has one sheet for each epoch.
    assert len(shown["1-samples"]["content"]) == 1 + done.stdout.count("iters: 2") + 1
    assert "epoch 2 of 2, 6 images seen" in shown["1-status"]["content"]


def test_damaged_images_do_not_keep_a_run_from_going_on(
    serve: Serve, run_cli: RunCli, words: list[object], free_port: int, tmp_path: Path
) -> None:
    assert run_cli("train", [*words, "--display_id", 0]).code == 0
    for path in (tmp_path / "checkpoints" / "run" / "web" / "images").iterdir():
        path.write_bytes(path.read_bytes()[:100])
    serve()
    done = run_cli("train", [*words, "--n_epochs", 2, "--continue_train"])
    assert (done.code, done.stderr) == (0, "")
    assert "no Visdom dashboard" not in done.stdout
    assert set(windows(free_port)) >= EVERYTHING - {"1-samples", "1-current"}


@pytest.mark.parametrize("stop", [False, True])
def test_without_a_server_the_training_starts_one(
    run_cli: RunCli, words: list[object], free_port: int, tmp_path: Path, stop: bool
) -> None:
    done = run_cli("train", [*words, *["--display_stop_server"] * stop])
    assert (done.code, done.stderr) == (0, "")
    assert (found := re.search(r"\(server started, pid (\d+)", done.stdout))
    pid = int(found[1])
    try:
        assert (tmp_path / ".visdom" / "run.json").is_file()
        assert (runs(pid), listens(free_port)) == (not stop, not stop)
        if not stop:
            assert set(windows(free_port)) >= EVERYTHING - {"1-samples", "1-current"}
    finally:
        if runs(pid):
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: not runs(pid))


def test_a_server_that_fails_costs_the_training_one_line(run_cli: RunCli, words: list[object], tmp_path: Path) -> None:
    with fake_visdom(500) as server:
        done = run_cli("train", [*words, "--display_port", server.port])
    assert (done.code, done.stderr) == (0, "")
    lines = [line for line in done.stdout.splitlines() if "no Visdom dashboard" in line]
    assert len(lines) == 1
    assert "(it answers 500); the run goes on and tries again" in lines[0]
    assert len(reports(tmp_path / "checkpoints" / "run")) == 3


def test_an_address_that_is_none_is_refused_before_anything_is_written(
    run_cli: RunCli, words: list[object], tmp_path: Path
) -> None:
    done = run_cli("train", [*words, "--display_server", "ftp://x"])
    assert done.code == 2
    assert done.stderr.startswith("train.py: error: --display_server ftp://x is no address of a server")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "checkpoints").exists()


def test_without_the_dashboard_its_address_does_not_matter(
    run_cli: RunCli, words: list[object], free_port: int
) -> None:
    done = run_cli("train", [*words, "--display_id", 0, "--display_server", "ftp://x"])
    assert done.code == 0
    assert "Visdom" not in done.stdout
    assert not listens(free_port)


def test_a_stopped_training_says_so_on_the_dashboard(
    serve: Serve, run_cli: RunCli, words: list[object], free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Stepper.step

    def stopping(self: Stepper, batch: object, progress: object) -> object:
        if progress.images_seen == 1:  # type: ignore[attr-defined]
            signal.raise_signal(signal.SIGTERM)
        return step(self, batch, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(Stepper, "step", stopping)
    serve()
    assert run_cli("train", words).code == 143
    shown = windows(free_port)["1-status"]["content"]
    assert "stopped" in shown
    assert "time left" not in shown
