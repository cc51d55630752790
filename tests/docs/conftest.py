"""A place where the commands and examples of the documents find what these take for granted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import log_restored
from tests.docs.commands import Commands, Place
from tests.docs.pages import blocks, read_pages
from tests.docs.stand_ins import Store
from tests.docs.worked import is_worked, write_examples


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Store(tmp_path_factory.mktemp("store"), monkeypatch)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Place]:
    """A folder for each page, in which one command finds what those before have made."""
    found = {}
    for page in read_pages():
        folder = tmp_path_factory.mktemp(Path(page.name).stem)
        for block in blocks(page, "python"):
            if block.file and "/" not in block.file:
                (folder / block.file).write_text(block.text)
        tree = tmp_path_factory.mktemp("program") if is_worked(page) else None
        if tree:
            write_examples(page, tree)
        found[page.name] = Place(folder, tree)
    return found


@pytest.fixture
def runner(store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Commands]:
    """Run commands; they have a cache folder of their own, and the log's handlers are restored."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(store.folder / "cache"))
    with log_restored():
        yield Commands(store, monkeypatch, capsys)
