"""Every command of the documents is run as they say, page by page from top to bottom, on stand-ins and made small.

Where a block cannot be run here, as the line above it says, its commands are parsed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunCli
from tests.docs.pages import AS_TYPED, NOT_RUN, Command, blocks, commands, read_pages
from tests.docs.parsing import parse
from tests.docs.running import Runner
from tests.docs.stand_ins import Store
from tests.metrics.conftest import inception_weights, small_inception, weights_folder

__all__ = ["inception_weights", "small_inception", "weights_folder"]  # fixtures

COMMANDS = [command for page in read_pages() for command in commands(page)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Store(tmp_path_factory.mktemp("store"), monkeypatch)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each page, in which one command finds what those before have made."""
    found = {}
    for page in read_pages():
        found[page.name] = folder = tmp_path_factory.mktemp(Path(page.name).stem)
        for block in blocks(page, "python"):
            if block.file and "/" not in block.file:
                (folder / block.file).write_text(block.text)
    return found


@pytest.fixture
def runner(
    store: Store,
    run_cli: RunCli,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    small_inception: None,
    request: pytest.FixtureRequest,
) -> Runner:
    return Runner(store, run_cli, monkeypatch, capsys, lambda: request.getfixturevalue("weights_folder"))


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_command(command: Command, runner: Runner, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    if command.note.startswith(NOT_RUN):
        parse(command.words, monkeypatch)
        return
    done = runner.run(command.words, folders[command.page], as_typed=command.note == AS_TYPED)
    if done.code and "pip install" in done.stderr and not os.environ.get("REQUIRE_ALL_TESTS"):  # as in .ci/run
        pytest.skip(done.stderr.strip().splitlines()[-1])
    assert done.code == 0, f"{command.text}\n{done.stdout}{done.stderr}"
