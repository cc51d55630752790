"""Tells whether a command could be run as it is typed, without running it."""

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import pytest

from options.ablate import parse_ablate
from options.app import parse_app
from options.cli import parse_test, parse_train
from options.evaluate import parse_evaluate
from options.export import parse_export
from options.translate import parse_translate
from tests.conftest import PROJECT

ENTRIES: Mapping[str, Callable[[Sequence[str]], object]] = {
    "train.py": parse_train,
    "test.py": parse_test,
    "evaluate.py": lambda words: parse_test(parse_evaluate(words)[1]),
    "translate.py": parse_translate,
    "export.py": parse_export,
    "app.py": parse_app,
    "ablate.py": parse_ablate,
}
FOREIGN = ("git", "ssh", "curl", "scontrol", "export", "[", "cd")  # nothing of ours is in them
NOT_OURS = ("pytest", "http.server", "venv")  # after python -m
PACKAGE = re.compile(r"[A-Za-z][\w.-]*")


class ParsedError(Exception):
    """A module's parser has come to its end."""

    def __init__(self, others: Sequence[str]) -> None:
        super().__init__()
        self.others = others  # left to another parser


def parse(words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Check the words of a command; an unknown program or flag fails the test."""
    program, *rest = without_variables(words)
    if program == "python" and rest[:1] == ["-m"]:
        if rest[1] not in NOT_OURS:
            _parse_module(rest[1], rest[2:], monkeypatch)
    elif program == "python":
        _parse_program(rest[0], rest[1:])
    elif program == "srun":
        start = next(number for number, word in enumerate(rest) if not word.startswith("-"))
        parse(rest[start:], monkeypatch)
    elif program == "torchrun":
        from torch.distributed.run import get_args_parser

        launch = get_args_parser().parse_args(rest)
        _parse_program(launch.training_script, launch.training_script_args)
    elif program == "make":
        unknown = {word for word in rest if "=" not in word} - targets()
        assert not unknown, f"the Makefile has no {unknown}"
    elif program == "pip":
        assert rest[0] == "install", f"pip {rest[0]}"
        unknown = set(installed(rest[1:])) - known_packages()
        assert not unknown, f"neither requirements nor CI know {unknown}"
    else:
        assert program in FOREIGN, f"no test knows the program {program}"


def without_variables(words: Sequence[str]) -> Sequence[str]:
    """Leave out the ``NAME=value`` before a command."""
    start = next((number for number, word in enumerate(words) if not re.match(r"\w+=", word)), len(words))
    return words[start:] or ["export"]


def installed(words: Sequence[str]) -> list[str]:
    """Return the packages that words of ``pip install`` name; files of requirements must exist."""
    names = []
    for before, word in zip(["", *words], words, strict=False):
        if before == "-r":
            assert (PROJECT / word).is_file(), word
        elif not word.startswith("-"):
            names += PACKAGE.findall(word)[:1]
    return names


def known_packages() -> set[str]:
    """Return the packages of the requirements, and those that CI installs because only some users do."""
    lines = [line for file in PROJECT.glob("requirements*.txt") for line in file.read_text().splitlines()]
    optional = re.findall(r"pip install --quiet ((?:.*\\\n)*.*)", (PROJECT / ".ci/run").read_text())
    return {word for text in [*lines, *" ".join(optional).split()] for word in PACKAGE.findall(text)[:1]}


def targets() -> set[str]:
    return set(re.findall(r"^([\w-]+):", (PROJECT / "Makefile").read_text(), flags=re.M))


def module(name: str) -> ModuleType:
    """Return what ``python -m`` starts."""
    found = importlib.import_module(name)
    return found if hasattr(found, "main") else importlib.import_module(f"{name}.__main__")


def _parse_program(file: str, words: Sequence[str]) -> None:
    if file in ENTRIES:
        ENTRIES[file](words)
    else:
        assert (PROJECT / file).is_file() or not Path(file).parent.name, f"there is no {file}"


def _parse_module(name: str, words: Sequence[str], monkeypatch: pytest.MonkeyPatch) -> None:
    original = argparse.ArgumentParser.parse_known_args

    def stop(parser: argparse.ArgumentParser, *args: Any, **named: Any) -> NoReturn:
        raise ParsedError(original(parser, *args, **named)[1])

    main = module(name).main
    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_known_args", stop)
        patch.setattr(sys, "argv", [name, *words])
        with pytest.raises(ParsedError) as parsed:
            main()
    if parsed.value.others:  # a benchmark hands them to the training
        parse_train(["--dataroot", "unused", *parsed.value.others])
