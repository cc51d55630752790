"""Parts of a benchmark that are processes of their own, run in that of the test."""

import importlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks import data, index, inference, step, sweep, translating
from benchmarks.job import Job
from benchmarks.processes import FailedError
from options.errors import UserError
from tests.conftest import RunCli

RunProgram = Callable[..., list[tuple[float, str]]]


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Measure what is measured by processes of their own here, to save the time of starting them."""

    def measured(module: str, words: Sequence[str], **_: object) -> Any:
        try:
            importlib.import_module(module).main([*words])
        except UserError as error:
            raise FailedError(str(error)) from error
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    for own in (data, index, sweep, translating):
        monkeypatch.setattr(own, "in_own_process", measured)
    for own in (step, inference):
        monkeypatch.setattr(own, "read_job", lambda text: Job(**json.loads(text)))  # this process is no victim
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)  # and has all its cores


@pytest.fixture
def programs_here(monkeypatch: pytest.MonkeyPatch, run_cli: RunCli) -> RunProgram:
    """Run ``train.py`` and the like here, where a benchmark runs them as programs."""

    def run(command: Sequence[str], **_: object) -> list[tuple[float, str]]:
        done = run_cli(Path(command[1]).stem, [*command[2:]])
        assert done.code == 0, done.stderr
        return [(float(number), line) for number, line in enumerate(done.stdout.splitlines())]

    for own in ("parity", "translating"):
        monkeypatch.setattr(f"benchmarks.{own}.lines_of", run)
    return run
