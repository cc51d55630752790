"""What a terminal, a batch scheduler or the system does to a training process, and that the run goes on after it."""

import contextlib
import multiprocessing
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from models.state import read_state
from tests.conftest import PROJECT, RunCli
from tests.images import an_image, write
from tests.refusals import RESNET, in_a_process
from tests.same_runs import reports
from util.sinks.events import Scalars
from util.sinks.jsonl import JsonLinesSink
from util.stop import stop_signals

PATIENCE = 60  # seconds for a process; only one that hangs is killed after them


class Process:
    """``train.py`` in a process of its own, the leader of a new group as in a terminal."""

    def __init__(self, words: list[str], folder: Path, ignoring: tuple[int, ...] = ()) -> None:
        def set_signals() -> None:  # whatever the test program was started with
            for number in stop_signals():
                signal.signal(number, signal.SIG_IGN if number in ignoring else signal.SIG_DFL)

        self._process = subprocess.Popen(
            [sys.executable, str(PROJECT / "train.py"), *words],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=set_signals,
        )
        self.pid, self.output = self._process.pid, ""
        self._watchdog = Timer(PATIENCE, self.kill)
        self._watchdog.start()

    def read_until(self, word: str) -> None:
        """Return once a line with this word was printed."""
        assert self._process.stdout is not None
        while word not in (line := self._process.stdout.readline()):
            self.output += line
            assert line, f"no {word!r} in:\n{self.output}"
        self.output += line

    def send_to_all(self, number: int) -> None:
        os.killpg(self.pid, number)

    def ends_within(self, seconds: float) -> bool:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def end(self) -> int:
        """Wait; return the exit code, which is -n where signal n killed the process."""
        self.output += self._process.communicate()[0]
        self._watchdog.cancel()
        return self._process.returncode

    def kill(self) -> None:
        self._watchdog.cancel()
        if self._process.poll() is None:
            self.send_to_all(signal.SIGKILL)


@pytest.fixture
def start(tiny: list[str], unaligned_root: Path, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Start ``train.py``, for more epochs than anybody waits for, in ``tmp_path``."""
    started: list[Process] = []
    basic = ["--dataroot", str(unaligned_root), "--name", "run", "--gpu_ids", "-1", *RESNET, *tiny, "--no_html"]

    def run(flags: str = "", ignoring: tuple[int, ...] = ()) -> Process:
        words = [*basic, "--n_epochs", "1000", "--save_latest_freq", "1", *flags.split()]
        started.append(Process(words, tmp_path, ignoring))
        return started[-1]

    yield run
    for process in started:
        process.kill()


@pytest.fixture
def goes_on(run_cli: RunCli, tmp_path: Path) -> Callable[..., None]:
    """Continue the run to the end of the next epoch; check that no image was left out or taken twice."""

    def run(words: list[str], resume: RunCli = run_cli) -> None:
        folder = tmp_path / "checkpoints" / "run"
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


def held_back(pipe: Path, process: Process) -> int:
    """Open a named pipe without writing to it, once the process reads it."""
    while not process.ends_within(0.01):
        with contextlib.suppress(OSError):  # nobody reads
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    raise AssertionError(process.output)


@pytest.mark.parametrize("name", [number.name for number in stop_signals()])
def test_a_signal_to_the_whole_group_ends_the_run_in_order(name: str, start: Any, goes_on: Any) -> None:
    number = getattr(signal, name)
    process = start("--num_threads 2")
    process.read_until("iters: 2")
    process.send_to_all(number)
    assert process.end() == 128 + number, process.output
    assert "Traceback" not in process.output
    assert "Error" not in process.output
    assert f"stopped by {name}" in process.output
    goes_on(printed_flags(process.output))


def test_a_second_ctrl_c_kills_at_once_a_run_that_waits_for_an_image(
    start: Any, goes_on: Any, unaligned_root: Path
) -> None:
    folder = unaligned_root / "trainA"
    image = folder.rename(unaligned_root / "images") / "a2.png"
    (unaligned_root / "trainA.txt").write_text("images/a0.png\nimages/a1.png\nimages/a2.png\n")
    image.unlink()
    os.mkfifo(image)  # whoever reads it waits for a writer
    process = start("--serial_batches --no_data_check")
    process.read_until("iters: 2")
    pipe = held_back(image, process)
    process.send_to_all(signal.SIGINT)
    assert not process.ends_within(1), process.output
    while not process.ends_within(1):
        process.send_to_all(signal.SIGINT)
    assert process.end() == -signal.SIGINT
    os.close(pipe)
    assert "Traceback" not in process.output
    image.unlink()
    write(an_image(2), image)
    goes_on(["--name", "run", "--continue_train"])


def test_under_nohup_a_run_outlives_the_terminal_and_goes_on_in_a_new_process(start: Any, goes_on: Any) -> None:
    process = start(ignoring=(signal.SIGHUP,))  # as nohup does
    process.read_until("iters: 2")
    process.send_to_all(signal.SIGHUP)
    process.send_to_all(signal.SIGTERM)
    assert process.end() == 128 + signal.SIGTERM, process.output  # the first signal that is noted gives the code
    goes_on(printed_flags(process.output), resume=in_a_process)


def test_a_killed_loading_process_leaves_a_run_that_goes_on(start: Any, goes_on: Any) -> None:
    process = start("--num_threads 2")
    process.read_until("(epoch: 2")
    workers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True)
    os.kill(int(workers.stdout.split()[0]), signal.SIGKILL)
    assert process.end() > 0, process.output
    assert "cannot save" not in process.output
    goes_on(["--name", "run", "--continue_train"])


def test_a_loading_process_killed_during_a_report_costs_no_report(
    run_cli: RunCli, goes_on: Any, unaligned_root: Path, tiny: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    scalars = JsonLinesSink.scalars

    def interrupted(self: JsonLinesSink, event: Scalars) -> None:
        if event.images_seen == 4:
            multiprocessing.active_children()[0].kill()
            time.sleep(0.5)  # in which PyTorch's handler may raise
        scalars(self, event)

    words = ["--name", "run", "--dataroot", unaligned_root, *RESNET, *tiny, "--n_epochs", 1000, "--num_threads", 2]
    with monkeypatch.context() as patch, contextlib.suppress(RuntimeError):  # however the run ends
        patch.setattr(JsonLinesSink, "scalars", interrupted)
        run_cli("train", words)
    goes_on(["--name", "run", "--continue_train"])
