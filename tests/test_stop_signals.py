"""What a terminal, a batch scheduler or the system does to a training process, and that the run goes on after it."""

import contextlib
import multiprocessing
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest

from models.state import read_state
from tests.conftest import PROJECT, RunCli
from tests.images import an_image, write, write_unaligned
from tests.nursery import TICK, Life, Nursery
from tests.refusals import RESNET, in_a_process
from tests.same_runs import reports
from util.sinks.events import Scalars
from util.sinks.jsonl import JsonLinesSink
from util.stop import stop_signals


@pytest.fixture
def words(tiny: list[str], place: Nursery, monkeypatch: pytest.MonkeyPatch, run_cli: RunCli) -> list[object]:
    """The flags of a run of more epochs than anybody waits for, in a folder of its own."""
    monkeypatch.chdir(place.folder)
    shutil.rmtree("checkpoints", ignore_errors=True)
    basic = ["--dataroot", "data", "--name", "run", *RESNET, *tiny, "--no_html"]
    return [*basic, "--n_epochs", 1000, "--save_latest_freq", 1]


GoesOn = Callable[..., None]
PATIENCE = 60  # seconds for a process; only one that hangs is killed after them


@pytest.fixture
def goes_on(run_cli: RunCli) -> GoesOn:
    """Continue the run to the end of the next epoch; check that no image was left out or taken twice."""

    def run(words: list[str], resume: RunCli = run_cli) -> None:
        folder = Path("checkpoints", "run")
        before = read_state(folder).state["progress"]
        done = resume("train", [*words, "--n_epochs", before["epoch"] + 1, "--num_threads", 0])
        assert done.code == 0, done.stderr
        assert f"epoch {before['epoch']}, {before['images_seen']} images seen" in done.stdout
        events = [event for event in reports(folder) if "losses" in event]
        assert [event["images_seen"] for event in events] == list(range(1, 3 * (before["epoch"] + 1) + 1))

    return run


def printed_flags(output: str) -> list[str]:
    """Return the flags of what a stopped training says to type."""
    command = output.split("to go on:\n")[1].splitlines()[0]
    assert command.strip() == "python train.py --name run --continue_train"
    return shlex.split(command)[2:]


def held_back(pipe: Path, life: Life) -> int:
    """Open a named pipe without writing to it, once the training reads it."""
    while life.lives():
        with contextlib.suppress(OSError):  # nobody reads
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(TICK)
    raise AssertionError(life.wait())


@pytest.mark.parametrize("number", stop_signals(), ids=lambda number: number.name)
def test_a_signal_to_the_whole_group_ends_the_run_in_order(
    number: signal.Signals, place: Nursery, words: list[object], goes_on: GoesOn
) -> None:
    life = place.start([*words, "--num_threads", 2])
    life.says("iters: 2")
    life.kill_all(number)
    done = life.wait()
    assert done.code == 128 + number, done
    assert "Traceback" not in done.stdout + done.stderr
    assert "Error" not in done.stdout + done.stderr
    assert f"stopped by {number.name}" in done.stdout
    goes_on(printed_flags(done.stdout))


def test_a_second_ctrl_c_kills_at_once_a_run_that_waits_for_an_image(
    place: Nursery, words: list[object], goes_on: GoesOn
) -> None:
    data = write_unaligned(place.folder / "held")
    held = (data / "trainA").rename(data / "images") / "a2.png"
    (data / "trainA.txt").write_text("images/a0.png\nimages/a1.png\nimages/a2.png\n")
    held.unlink()
    os.mkfifo(held)  # whoever reads it waits for a writer
    life = place.start([*words, "--dataroot", data, "--serial_batches", "--no_data_check"])
    life.says("iters: 2")
    pipe = held_back(held, life)
    life.kill_all(signal.SIGINT)
    time.sleep(1)
    assert life.lives(), life.wait()
    while life.lives():
        life.kill_all(signal.SIGINT)
        time.sleep(TICK)
    done = life.wait()
    assert done.code == -signal.SIGINT
    os.close(pipe)
    assert "Traceback" not in done.stdout + done.stderr
    held.unlink()
    write(an_image(2), held)
    goes_on(["--name", "run", "--continue_train"])


@pytest.mark.slow
def test_under_nohup_a_run_outlives_the_terminal_and_goes_on_in_a_new_process(
    words: list[object], goes_on: GoesOn
) -> None:
    """Here both are started as a user does."""
    command = [sys.executable, str(PROJECT / "train.py"), *map(str, words), "--gpu_ids", "-1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=as_under_nohup
    ) as process:
        watchdog = Timer(PATIENCE, process.kill)
        watchdog.start()
        assert process.stdout
        said = ""
        while "iters: 2" not in said:
            assert (line := process.stdout.readline()), said
            said += line
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        said += process.stdout.read()
        watchdog.cancel()
    assert process.returncode == 128 + signal.SIGTERM, said  # the first signal that is noted gives the code
    goes_on(printed_flags(said), resume=in_a_process)


def as_under_nohup() -> None:
    for number in stop_signals():  # whatever the test program was started with
        signal.signal(number, signal.SIG_IGN if number == signal.SIGHUP else signal.SIG_DFL)


@pytest.mark.slow
def test_a_killed_loading_process_leaves_a_run_that_goes_on(
    place: Nursery, words: list[object], goes_on: GoesOn
) -> None:
    life = place.start([*words, "--num_threads", 2])
    life.says("(epoch: 2")
    os.kill(life.loaders()[0], signal.SIGKILL)
    done = life.wait()
    assert done.code > 0, done
    assert "cannot save" not in done.stdout
    goes_on(["--name", "run", "--continue_train"])


@pytest.mark.slow
def test_a_loading_process_killed_during_a_report_costs_no_report(
    run_cli: RunCli, words: list[object], goes_on: GoesOn, monkeypatch: pytest.MonkeyPatch
) -> None:
    scalars = JsonLinesSink.scalars

    def interrupted(self: JsonLinesSink, event: Scalars) -> None:
        if event.images_seen == 4:
            multiprocessing.active_children()[0].kill()
            time.sleep(0.5)  # in which PyTorch's handler may raise
        scalars(self, event)

    with monkeypatch.context() as patch, contextlib.suppress(RuntimeError):  # however the run ends
        patch.setattr(JsonLinesSink, "scalars", interrupted)
        run_cli("train", [*words, "--num_threads", 2])
    goes_on(["--name", "run", "--continue_train"])
