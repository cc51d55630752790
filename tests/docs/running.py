"""Runs a command as it is typed, inside the test's process where that is possible."""

import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from ablation import runner
from ablation.child import FailedError
from inference.app import server
from tests.conftest import PROJECT, Finished, RunCli
from tests.docs.parsing import ENTRIES, module, parse, without_variables
from tests.docs.small import inputs, made_small, measures
from tests.docs.stand_ins import Store

SHELL = {"|", ">", "&&"}
ONLY_PARSED = ("make", "pip", "torchrun")


class Runner:
    """Runs commands in a folder.

    Args:
        weights: gives the folder of the networks of metrics.
    """

    def __init__(
        self,
        store: Store,
        run_cli: RunCli,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        weights: Callable[[], Path],
    ) -> None:
        self.store, self.run_cli, self.monkeypatch, self.capsys, self.weights = (
            store,
            run_cli,
            monkeypatch,
            capsys,
            weights,
        )
        monkeypatch.setattr(runner, "run_table", partial(runner.run_table, run=self._part_of_a_table))
        monkeypatch.setattr(server, "run_server", _visited)

    def run(self, words: Sequence[str], folder: Path, *, as_typed: bool) -> Finished:
        """Run the words of a command; a program that nobody knows fails the test."""
        self.monkeypatch.chdir(folder)
        program, *rest = without_variables(words)
        for word in words[: -1 - len(rest)]:
            self.monkeypatch.setenv(*word.split("=", 1))
        if SHELL & set(words):
            return self._in_a_shell(words, folder)
        if program in ONLY_PARSED:
            parse(words, self.monkeypatch)
            return Finished(0, "", "")
        assert program == "python", f"no test knows how to run {program}"
        if rest[0] == "-m":
            self._lend(rest[1], rest[2:], folder)
            return self._called(module(rest[1]).main, rest[1:])
        self._lend(rest[0], rest[1:], folder)
        if rest[0] in ENTRIES:
            return self._entry(rest[0], rest[1:], as_typed=as_typed)
        file = folder / rest[0] if (folder / rest[0]).exists() else PROJECT / rest[0]
        return self._called(partial(runpy.run_path, str(file), run_name="__main__"), rest)

    def _lend(self, program: str, words: Sequence[str], folder: Path) -> None:
        for word in inputs(program, words):
            list(self.store.lend(word, folder))

    def _entry(self, program: str, words: Sequence[str], *, as_typed: bool) -> Finished:
        weights = self.weights() if measures(program, words) else None
        added = made_small(program, words, as_typed=as_typed, weights=weights)
        return self.run_cli(Path(program).stem, added)

    def _called(self, main: Callable[[], Any], words: Sequence[str]) -> Finished:
        self.monkeypatch.setattr(sys, "argv", list(words))
        self.capsys.readouterr()
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code
        out, err = self.capsys.readouterr()
        return Finished(code if isinstance(code, int) else 0, out, err)

    def _in_a_shell(self, words: Sequence[str], folder: Path) -> Finished:
        """Let a shell run the words; the programs are found where it is started."""
        for name in ENTRIES:
            if not (folder / name).exists():
                (folder / name).symlink_to(PROJECT / name)
        self._lend("", words, folder)
        text = " ".join(words)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {text}"], cwd=folder, env={**os.environ, "PATH": path}, capture_output=True
        )
        return Finished(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def _part_of_a_table(self, program: str, words: Sequence[str], log: Path) -> None:
        """Stand for the process that ``ablate.py`` starts."""
        done = self.run_cli(Path(program).stem, list(words))
        log.write_text(done.stdout + done.stderr)
        if done.code:
            raise FailedError(done.stderr)


def _visited(app: Any, place: Any) -> None:  # Any: of packages that are optional
    """Ask the page for its runs, instead of serving it until a signal."""
    with TestClient(app) as client:
        assert client.get("/runs").status_code in (200, 401)
