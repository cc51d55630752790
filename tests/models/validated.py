"""Trainings with validations, for the tests of both what is measured and what is held out."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Finished, RunCli
from tests.same_runs import LAYOUT

Train = Callable[..., Finished]


@pytest.fixture
def train(run_cli: RunCli, tiny: list[str], request: pytest.FixtureRequest) -> Train:
    """Train ``run`` for an epoch with a validation at its end; words change that."""

    def run(flags: str = "", model: str = "pix2pix", *, name: str = "run", root: Path | None = None) -> Finished:
        root = root or request.getfixturevalue(LAYOUT.get(model, "aligned_root"))
        words = f"--model {model} --netG resnet_1blocks --norm instance --name {name} --no_html --val_freq 1 {flags}"
        return run_cli("train", ["--dataroot", root, *tiny, *words.split()])

    return run


def validations(run: str = "run") -> list[dict[str, Any]]:
    """Return the reports of validations."""
    lines = Path("checkpoints", run, "metrics.jsonl").read_text().splitlines()
    return [line for line in map(json.loads, lines) if line.get("deciding")]
