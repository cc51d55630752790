"""A copy of the program with the worked examples of the documents in it."""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import PROJECT
from tests.docs.pages import Page, blocks

PACKAGES = sorted(path.name for path in PROJECT.iterdir() if (path / "__init__.py").exists() and path.name != "tests")
IMPORT = re.compile(r"^Add `([^`]+)` to `([^`]+)`", flags=re.M)
ENTRY = re.compile(r"^Add `[^`]+` to `([^`]+)`, and `(\w+)` to its table `(\w+)`", flags=re.M)


def is_worked(page: Page) -> bool:
    """Tell whether a page writes files of the program."""
    return any("/" in block.file for block in blocks(page, "python"))


def write_examples(page: Page, tree: Path) -> None:
    """Copy the program to a folder, and do there what a page says: write files, add imports and entries of tables."""
    for name in PACKAGES:
        shutil.copytree(PROJECT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks(page, "python"):
        if "/" in block.file:
            assert not (tree / block.file).exists(), f"{block}: {block.file} is there already"
            (tree / block.file).write_text(block.text)
    for line, file in IMPORT.findall(page.text):
        _insert(tree / file, r"^(?=from |import )", f"{line}\n")
    for file, name, table in ENTRY.findall(page.text):
        _insert(tree / file, rf"(?<=^{table}\b)(.*?)(?=^\))", rf"\g<1>    {name},\n")


def _insert(file: Path, place: str, text: str) -> None:
    edited, count = re.subn(place, text, file.read_text(), count=1, flags=re.M | re.S)
    assert count, f"{file} has no such place"
    file.write_text(edited)


@contextmanager
def program_of(tree: Path | None) -> Iterator[None]:
    """Let imports find the program's modules in a copy of it; None leaves them as they are."""
    if tree is None:
        yield
        return
    own = {name: module for name, module in sys.modules.items() if _is_own(name)}
    for name in own:
        del sys.modules[name]
    sys.path.insert(0, str(tree))
    try:
        yield
    finally:
        sys.path.remove(str(tree))
        for name in [name for name in sys.modules if _is_own(name)]:
            del sys.modules[name]
        sys.modules.update(own)


def _is_own(name: str) -> bool:
    return name.split(".")[0] in PACKAGES
