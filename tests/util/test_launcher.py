"""Which launch of torchrun a process belongs to, and which device is its own."""

import multiprocessing
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import pytest

from options.errors import UserError
from options.schema import RunOptions
from util.device import choose_device
from util.distributed import has_ended, launch_id, restarts


def in_a_child(function: Callable[..., str], *given: object) -> str:
    with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
        return pool.submit(function, *given).result()


@pytest.mark.parametrize(("count", "times"), [("", 0), ("0", 0), ("2", 2)])
def test_a_restart_is_known_by_its_count(count: str, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RESTART_COUNT", raising=False)
    if count:
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", count)
    assert restarts() == times


@pytest.mark.skipif(os.name != "posix", reason="needs fork")
def test_processes_of_one_launcher_are_of_one_launch_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")  # as it is without --standalone
    ours = {in_a_child(launch_id) for _ in range(2)}
    assert len(ours) == 1
    assert in_a_child(in_a_child, launch_id) not in ours
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "job 7")
    assert launch_id() == "job 7"


def test_fewer_gpus_than_processes_are_a_sentence() -> None:
    with pytest.raises(UserError, match="--gpu_ids 0,1 names 2 GPUs, fewer than there are processes"):
        choose_device(RunOptions(gpu_ids="0,1"), local_rank=2, launched=True)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells")
def test_processes_of_this_host_are_known_to_have_ended() -> None:
    here = socket.gethostname()
    assert not has_ended(here, os.getpid())
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert has_ended(here, child.pid), "though its parent has not asked for its exit code yet"
    assert has_ended(here, child.pid)
    assert not has_ended("elsewhere", child.pid), "nothing is known of other hosts"
