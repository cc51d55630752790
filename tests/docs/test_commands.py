"""Every command of the documents is run as they say, page by page from top to bottom, on stand-ins and made small.

Where a block cannot be run here, as the line above it says, its commands are parsed.
"""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.docs.commands import Commands, Place
from tests.docs.pages import NOT_RUN, Block, Page, commands, read_pages

LANGUAGES = {"bash", "sh", "python", "text", "json", "yaml"}
SLOW = ("docs/performance.md", "docs/export.md")  # their commands measure, or load an exporter
COMMANDS = [
    pytest.param(command, id=str(command), marks=[pytest.mark.slow] if page.name in SLOW else [])
    for page in read_pages()
    for command in commands(page)
]


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: Block, runner: Commands, places: dict[str, Place]) -> None:
    if command.note.startswith(NOT_RUN):
        runner.parse(command.words)
        return
    done = runner.run(command.words, places[command.page])
    if done.code and "pip install" in done.stderr and not os.environ.get("REQUIRE_ALL_TESTS"):  # as in .ci/run
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.code == 0, f"{command.text}\n{done.stdout}{done.stderr}"


def test_make_demo_draws_trains_tests_and_reports(runner: Commands, tmp_path: Path) -> None:
    recipe = subprocess.run(
        ["make", "--dry-run", "demo"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout
    steps = [line for line in recipe.replace("\\\n", " ").splitlines() if " creatures" in line or "/creatures" in line]
    for step in steps:
        done = runner.run(["python", *shlex.split(step)[1:]], Place(tmp_path, None))
        assert done.code == 0, f"{step}\n{done.stdout}{done.stderr}"
    assert len(steps) == 4
    assert "putting them on" in done.stdout


@pytest.mark.parametrize("page", read_pages(), ids=lambda page: page.name)
def test_every_block_begins_at_the_margin_and_says_what_it_is(page: Page) -> None:
    opening = re.findall(r"^( *)```(.*)$", page.text, flags=re.M)[::2]
    assert {margin for margin, _ in opening} <= {""}
    assert {language for _, language in opening} <= LANGUAGES
