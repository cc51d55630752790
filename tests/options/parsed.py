"""Options as typed, for the tests of parsing."""

from collections.abc import Mapping
from typing import Any, NoReturn

import pytest

from options.cli import parse_test, parse_train
from options.schema import Options

ROOT = ("--dataroot", "x")
RUN = {"model": "cycle_gan", "dataset_mode": "unaligned", "netG": "resnet_6blocks", "ngf": 32, "norm": "instance"}


def for_train(words: str = "", stored: Mapping[str, Any] | None = None) -> Options:
    return parse_train([*ROOT, *words.split()], stored=lambda run: stored or {})


def for_test(words: str = "", stored: Mapping[str, Any] | None = None) -> Options:
    return parse_test([*ROOT, *words.split()], stored=lambda run: stored or {})


def unread(run: Mapping[str, Any]) -> NoReturn:
    raise AssertionError("the stored options were asked for")


class NothingStored:
    """Stored options that are not there; remembers of which run they were asked for."""

    run: Mapping[str, Any] = {}

    def __call__(self, run: Mapping[str, Any]) -> Mapping[str, Any]:
        self.run = run
        return {}


def refused(words: str, capsys: pytest.CaptureFixture[str], stored: Mapping[str, Any] | None = None) -> str:
    """Parse what ``train.py`` must refuse; return the sentence."""
    with pytest.raises(SystemExit) as stop:
        for_train(words, stored)
    assert stop.value.code == 2
    return last_line(capsys)


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]
