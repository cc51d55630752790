"""How long files and functions may be: what is longer has a second responsibility."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import PROJECT

FOLDERS = [path for path in PROJECT.iterdir() if path.is_dir() and not path.name.startswith(".")]
FILES = [*PROJECT.glob("*.py"), *(path for folder in FOLDERS for path in folder.rglob("*.py"))]


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_is_longer_than_250_lines_and_no_function_than_50() -> None:
    assert {str(path): lines(path) for path in FILES if lines(path) > 250} == {}
    assert {f"{path}:{name}": n for path in FILES for name, n in functions(path) if n > 50} == {}


@pytest.mark.parametrize(("name", "most"), [("train.py", 80), ("test.py", 80), ("models/template_model.py", 60)])
def test_what_people_read_first_is_short(name: str, most: int) -> None:
    assert lines(PROJECT / name) < most
