"""Processes of a benchmark: what they say, and why they failed."""

import os
import sys
import time
from pathlib import Path

import pytest

from benchmarks.processes import PROJECT, FailedError, in_own_process, lines_of


def run(code: str, seconds: float = 0.0) -> list[str]:
    """Run a line of Python and return what it prints."""
    return [text for _, text in lines_of([sys.executable, "-c", code], cwd=PROJECT, seconds=seconds)]


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("bytearray(10**18)", "out of memory"),
        ("import os; os.kill(os.getpid(), 9)", "out of memory"),  # as the system does to the largest process
        ("import sys; sys.exit('--size 3 is too small')", "--size 3 is too small"),
        ("from options.errors import UserError; raise UserError('pass another')", "pass another"),
        ("import os; os._exit(7)", "exit code 7"),
    ],
)
def test_a_failure_is_told_in_a_line(code: str, reason: str) -> None:
    with pytest.raises(FailedError, match=f"^{reason}$"):
        run(code)


def test_lines_come_with_their_times() -> None:
    lines = list(lines_of([sys.executable, "-c", "print('a'); print('b')"], cwd=Path()))
    assert [text for _, text in lines] == ["a", "b"]
    assert lines[0][0] <= lines[1][0] <= time.perf_counter()


def test_one_that_takes_too_long_is_ended_with_its_own_processes() -> None:
    children = "import os, time; os.write(1, b'%d\\n' % (os.fork() or os.getpid())); time.sleep(600)"
    lines = lines_of([sys.executable, "-c", children], cwd=Path(), seconds=3)
    said = [int(next(lines)[1]) for _ in range(2)]
    with pytest.raises(FailedError, match=r"^over 3 s$"):
        next(lines)
    end = time.monotonic() + 30
    while any(is_running(pid) for pid in said):
        assert time.monotonic() < end, f"one of {said} is still there"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    stat = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, 0)
        return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_the_figures_are_the_last_line(tmp_path: Path) -> None:
    (tmp_path / "chatty.py").write_text("print('options ...'); print('{\"seconds\": [1.5]}')")
    found = in_own_process("chatty", [], env={"PYTHONPATH": str(tmp_path)})
    assert found == {"seconds": [1.5]}
    (tmp_path / "chatty.py").write_text("")
    with pytest.raises(FailedError, match="it printed no figures"):
        in_own_process("chatty", [], env={"PYTHONPATH": str(tmp_path)})
