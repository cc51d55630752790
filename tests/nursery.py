"""Trainings in processes of their own that can be held, hurt and killed, without two seconds of imports for each.

A nursery is a process that has imported the program and forks a child for every training. What is said between it
and a test is a line of JSON each way; between a training and a test, files.
"""

import dataclasses
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.conftest import PROJECT, Finished

LONGEST = 100.0  # seconds that anything may take before it counts as hanging
TICK = 0.005  # seconds
OUTPUTS = ("out", "err")  # files beside the notes: what a training prints


@dataclass(frozen=True)
class Order:
    """A training to start.

    Attributes:
        folder: where it runs.
        notes: beginning of the names of the files that it and the test leave for each other.
        constants: of the program, such as ``util.run_lock.PATIENCE``, to replace.
        faults: names in ``tests.faults.FAULTS`` of what to do first.
        holds: numbers of images seen at which it waits, its saves done, until ``Life.go``.
    """

    argv: list[str]
    folder: str
    notes: str
    constants: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    holds: tuple[int, ...] = ()


def alive(pid: int) -> bool:
    """Tell whether a process has not ended; one that has may wait for its parent to notice."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] != "Z"


class Life:
    """A training that has been started."""

    def __init__(self, nursery: "Nursery", pid: int, order: Order) -> None:
        self.pid = pid
        self._nursery, self._order = nursery, order

    def reach(self, images: int) -> None:
        """Return when the training waits after so many images."""
        self._expect(f"came to {images} images", Path(held_mark(self._order.notes, images)).exists)

    def says(self, words: str) -> None:
        """Return when the training has printed these words."""
        out = Path(f"{self._order.notes}.out")
        self._expect(f"said {words!r}", lambda: words in out.read_text())

    def _expect(self, what: str, happened: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LONGEST
        while not happened():
            assert time.monotonic() < deadline, f"it never {what}"
            assert self.lives(), f"it never {what}: {self.wait()}"
            time.sleep(TICK)

    def go(self, images: int) -> None:
        """Let it go on from where it waits."""
        Path(go_mark(self._order.notes, images)).touch()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to this process alone, not to its loading processes."""
        os.kill(self.pid, number)  # it is nobody else's: until ``wait`` a dead child keeps its number

    def kill_all(self, number: int) -> None:
        """Send a signal to its loading processes as well, as a terminal does."""
        os.killpg(self.pid, number)

    def lives(self) -> bool:
        """Tell whether it has not ended."""
        return alive(self.pid)

    def loaders(self) -> list[int]:
        """Return the numbers of its loading processes."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def wait(self) -> Finished:
        """Return how it ended; the code is minus the signal's number where one killed it."""
        code = self._nursery.ask({"wait": self.pid})
        out, err = (Path(f"{self._order.notes}.{name}").read_text() for name in OUTPUTS)
        assert code is not None, f"it hangs:\n{out}\n{err}"
        return Finished(code, out, err)


class Nursery:
    """Where trainings come from."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self.folder = folder
        self._process, self._count = process, 0

    def start(self, argv: list[object], **details: Any) -> Life:
        """Start a training in the nursery's folder, on the CPU; ``details`` are those of ``Order``."""
        self._count += 1
        words = [str(word) for word in argv]
        order = Order([*words, "--gpu_ids", "-1"], str(self.folder), str(self.folder / f"life{self._count}"), **details)
        for name in OUTPUTS:
            Path(f"{order.notes}.{name}").touch()
        return Life(self, self.ask({"order": dataclasses.asdict(order)}), order)

    def run(self, argv: list[object], **details: Any) -> Finished:
        """Start a training and return how it ended."""
        return self.start(argv, **details).wait()

    def ask(self, question: Mapping[str, Any]) -> Any:
        """Send a line, return what comes back."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """Open a nursery whose trainings run in ``folder``; at the end they are gone, also those still at work."""
    if sys.platform != "linux":
        pytest.skip("a nursery looks after its children in /proc, which only Linux has")
    command = [sys.executable, "-m", "tests.nursery"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(PROJECT), "TMPDIR": str(folder)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, cwd=PROJECT, env=environment, **pipes) as process:  # type: ignore[call-overload]
        yield Nursery(process, folder)


def held_mark(notes: str, images: int) -> str:
    return f"{notes}.held_at_{images}"


def go_mark(notes: str, images: int) -> str:
    return f"{notes}.go_from_{images}"


def serve() -> None:
    """Answer until the test is done."""
    for name in ("train", "tests.faults", "torch._dynamo"):  # what the children need; Adam the last of them
        importlib.import_module(name)

    assert len(os.listdir("/proc/self/task")) == 1, "only a process of one thread can be forked safely"
    gc.freeze()  # so that a child does not copy all of it at its first collection
    children: set[int] = set()
    for line in sys.stdin:
        question = json.loads(line)
        if "order" in question:
            answer: int | None = os.fork()
            if not answer:
                end(be(Order(**question["order"])))
            children.add(answer)
        elif (answer := _end_of(question["wait"])) is not None:
            children.remove(question["wait"])
        print(json.dumps(answer), flush=True)
    for pid in children:
        os.killpg(pid, signal.SIGKILL)
    end(0)


def _end_of(pid: int) -> int | None:
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(TICK)
    return None


def be(order: Order) -> int:
    """Turn this process into a training; return the exit code."""
    import train
    from tests import faults
    from util.stop import stop_signals

    os.setpgid(0, 0)
    for stop in stop_signals():  # as they are in a terminal, whatever the test was started with
        signal.signal(stop, signal.default_int_handler if stop == signal.SIGINT else signal.SIG_DFL)
    for number, path in enumerate((os.devnull, *(f"{order.notes}.{name}" for name in OUTPUTS))):
        os.dup2(os.open(path, os.O_RDWR), number)
    os.chdir(order.folder)
    faults.set_constants(order.constants)
    for name in order.faults:
        faults.FAULTS[name]()
    faults.hold(order.notes, order.holds)
    try:
        train.main(order.argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    except BaseException:  # noqa: BLE001  # what Python itself would do
        traceback.print_exc()
        return 1
    return 0


def end(code: int) -> NoReturn:
    """Leave without taking apart what was imported, which takes longer than a training."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
