"""Runs a command of the documents, in the test's process where that is possible, or tells whether it could be run."""

import argparse
import importlib
import json
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, NoReturn

import pytest

from ablation import runner
from ablation.child import FailedError
from benchmarks import sweep
from benchmarks.job import Job
from options.ablate import parse_ablate
from options.app import parse_app
from options.cli import parse_test, parse_train
from options.evaluate import parse_evaluate
from options.export import parse_export
from options.translate import parse_translate
from tests.conftest import PROJECT, Finished
from tests.docs.small import inputs, made_small
from tests.docs.stand_ins import Store
from tests.docs.worked import program_of

STORED = {"dataroot": "unused"}  # what every run knows
ENTRIES: Mapping[str, Callable[[Sequence[str]], object]] = {
    "train.py": lambda words: parse_train(words, stored=lambda run: STORED),
    "test.py": lambda words: parse_test(words, stored=lambda run: STORED),
    "evaluate.py": lambda words: parse_test(parse_evaluate(words)[1], stored=lambda run: STORED),
    "translate.py": parse_translate,
    "export.py": parse_export,
    "app.py": parse_app,
    "ablate.py": parse_ablate,
}
SERVERS = ("app.py", "util.dashboard", "http.server")
PACKAGE = re.compile(r"[A-Za-z][\w.-]*")
FOREIGN = ("curl", "export", "git", "pre-commit", "scontrol", "ssh", "[")  # nothing of ours is in them


class ParsedError(Exception):
    """A module's parser has come to its end; ``args`` are the words that it leaves to another one."""


class Place(NamedTuple):
    """Where a page is followed: a folder and, where the page changes the program, a copy of that."""

    folder: Path
    tree: Path | None


class Commands:
    """Runs commands, or parses them."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.store, self.monkeypatch, self.capsys = store, monkeypatch, capsys

    def run(self, words: Sequence[str], place: Place) -> Finished:
        """Run the words of a command; a program that nobody knows fails the test."""
        if {"|", ">"} & set(words):
            with self.at(place, inputs("", words)):
                return _in_a_shell(words)
        program, *rest = words
        if program in ("make", "pip", "torchrun"):
            self.parse(words)
            return Finished(0, "", "")
        assert program == "python", f"no test knows how to run {program}"
        name, *given = rest[1:] if rest[0] == "-m" else rest
        assert name not in SERVERS, "a server runs until Ctrl-C; say <!-- not run: a server --> above the block"
        with self.at(place, inputs(name, given)):
            if rest[0] == "-m":
                return self._started(module(name).main, [name, *made_small(name, given)])
            folder = next(folder for folder in (place.folder, PROJECT) if (folder / name).exists())
            return self._started(program_in(folder, name), [name, *made_small(name, given)])

    @contextmanager
    def at(self, place: Place, words: Sequence[str]) -> Iterator[None]:
        """Work in a place, with all there that the words name; nothing starts a process."""
        self.monkeypatch.chdir(place.folder)
        for word in words:
            self.store.lend(word, place.folder)
        with self.monkeypatch.context() as patch, program_of(place.tree):
            patch.setattr(runner, "run_table", partial(runner.run_table, run=self._part_of_a_table))
            patch.setattr(sweep, "in_own_process", _part_of_a_sweep)
            yield

    def parse(self, words: Sequence[str]) -> None:
        """Check the words of a command; an unknown program or flag fails the test."""
        program, *rest = words
        if re.match(r"\w+=", program):  # a variable, alone or before a command
            if rest and "$(" not in program:
                self.parse(rest)
        elif words[:3] == ["python", "-m", "http.server"]:
            pass  # not ours
        elif program == "python" and rest[0] == "-m":
            self._parse_module(rest[1], rest[2:])
        elif program == "python":
            ENTRIES[rest[0]](rest[1:])
        elif program == "srun":
            self.parse(rest)
        elif program == "torchrun":
            from torch.distributed.run import get_args_parser

            launch = get_args_parser().parse_args(rest)
            ENTRIES[launch.training_script](launch.training_script_args)
        elif program == "make":
            assert set(rest) <= set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), flags=re.M))
        elif program == "pip":
            _check_packages(rest)
        else:
            assert Path(program).name in FOREIGN, f"no test knows the program {program}"

    def _parse_module(self, name: str, words: Sequence[str]) -> None:
        original = argparse.ArgumentParser.parse_known_args

        def stop(parser: argparse.ArgumentParser, *args: Any, **named: Any) -> NoReturn:  # Any: what argparse takes
            raise ParsedError(*original(parser, *args, **named)[1])

        main = module(name).main
        with self.monkeypatch.context() as patch:
            patch.setattr(argparse.ArgumentParser, "parse_known_args", stop)
            patch.setattr(sys, "argv", [name, *words])
            with pytest.raises(ParsedError) as parsed:
                main()
        if parsed.value.args:  # a benchmark hands them to the training
            ENTRIES["train.py"](["--dataroot", "unused", *parsed.value.args])

    def _started(self, main: Callable[[], object], words: Sequence[str]) -> Finished:
        self.monkeypatch.setattr(sys, "argv", list(words))
        self.capsys.readouterr()
        try:
            code = main()
        except SystemExit as stop:
            code = stop.code
        except ModuleNotFoundError as error:
            return Finished(1, "", f"{error}; type: pip install {error.name}")
        return Finished(code if isinstance(code, int) else 0, *self.capsys.readouterr())

    def _part_of_a_table(self, program: str, words: Sequence[str], log: Path) -> None:
        """Stand for the process that ``ablate.py`` starts."""
        done = self._started(program_in(PROJECT, program), [program, *words])
        log.write_text(done.stdout + done.stderr)
        if done.code:
            raise FailedError(done.stderr)


def program_in(folder: Path, name: str) -> Callable[[], object]:
    return lambda: runpy.run_path(str(folder / name), run_name="__main__")


def module(name: str) -> ModuleType:
    """Return what ``python -m`` starts."""
    found = importlib.import_module(name)
    return found if hasattr(found, "main") else importlib.import_module(f"{name}.__main__")


def _check_packages(words: Sequence[str]) -> None:
    """Check the words after ``pip``: each is a package that the requirements or CI know, or a file of requirements."""
    command, *rest = words
    assert command == "install"
    for before, word in zip(words, rest, strict=False):
        if before == "-r":
            assert (PROJECT / word).is_file(), word
        elif not word.startswith("-"):
            assert set(PACKAGE.findall(word)[:1]) <= _known_packages(), word


def _known_packages() -> set[str]:
    """Return the packages of the requirements, and those that CI installs because only some users do."""
    lines = [line for file in PROJECT.glob("requirements*.txt") for line in file.read_text().splitlines()]
    optional = re.findall(r"pip install --quiet ((?:.*\\\n)*.*)", (PROJECT / ".ci/run").read_text())
    return {word for text in [*lines, *" ".join(optional).split()] for word in PACKAGE.findall(text)[:1]}


def _in_a_shell(words: Sequence[str]) -> Finished:
    """Let a shell run the words; the programs are found where it is started."""
    for name in ENTRIES:
        if not Path(name).exists():
            Path(name).symlink_to(PROJECT / name)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    line = ["bash", "-c", f"set -o pipefail; {' '.join(words)}"]
    done = subprocess.run(line, env={**os.environ, "PATH": path}, capture_output=True)
    return Finished(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def _part_of_a_sweep(name: str, words: Sequence[str], **_: object) -> object:
    """Stand for the process that a benchmark starts."""
    return module(name).result(Job(**json.loads(words[1])))
