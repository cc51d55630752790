"""Fixtures for tests of the commands that make data sets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.serving import Mirror, serving

Refusal = Callable[[int], str]


def folds(root: Path, *more: str) -> list[str]:
    """Tell combine_A_and_B to join the folders A and B into AB."""
    return [*(f"--fold_{name}={root / name}" for name in ("A", "B", "AB")), *more]


def failing(error: BaseException) -> Callable[..., NoReturn]:
    """Give a function that raises."""

    def fail(*args: object, **more: object) -> NoReturn:
        raise error

    return fail


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    """A host of data sets on this machine, empty."""
    with serving() as server:
        yield server


@pytest.fixture
def refusal(capsys: pytest.CaptureFixture[str]) -> Refusal:
    """Take the exit code of a command that was used wrongly; give the one sentence that it said."""

    def sentence(code: int) -> str:
        message = capsys.readouterr().err
        assert (code, message.count("\n")) == (2, 1), message
        return message

    return sentence
