"""The Python code of the documents does what they say."""

import ast
import csv
import re

import pytest

from tests.docs.commands import Commands, Place
from tests.docs.pages import Block, Page, blocks, commands, read_pages
from tests.docs.worked import is_worked

PAGES = {page.name: page for page in read_pages()}
BLOCKS = [block for page in PAGES.values() for block in blocks(page, "python")]
WORKED = [block for block in BLOCKS if "/" in block.file]
LOOSE = [block for block in BLOCKS if not block.file]


def documented(page: Page) -> str:
    return "\n".join(command.text for command in commands(page))


@pytest.mark.parametrize("block", LOOSE, ids=str)
def test_python_runs_as_it_stands(block: Block, runner: Commands, places: dict[str, Place]) -> None:
    texts = [node.value for node in ast.walk(ast.parse(block.text)) if isinstance(node, ast.Constant)]
    with runner.at(places[block.page], [text for text in texts if isinstance(text, str)]):
        exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.file and block not in WORKED], ids=str)
def test_a_program_is_started_by_its_page(block: Block) -> None:
    assert f"python {block.file}" in documented(PAGES[block.page])


@pytest.mark.parametrize("block", [block for block in WORKED if ".register(" in block.text], ids=str)
def test_what_a_worked_example_registers_is_tried_by_its_page(block: Block) -> None:
    name = re.search(r"\.register\(\"([\w<>]+)\"\)", block.text)
    assert name
    assert re.search(rf"\b{name[1].replace('<N>', '[0-9]+')}\b", documented(PAGES[block.page]))


@pytest.mark.parametrize("page", [page for page in PAGES.values() if is_worked(page)], ids=lambda page: page.name)
def test_a_sink_of_a_worked_example_receives_what_a_training_tells(
    page: Page, runner: Commands, places: dict[str, Place]
) -> None:
    place, data = places[page.name], "./datasets/horse2zebra"
    assert runner.run(["python", "train.py", "--name", "told", "--dataroot", data], place).code == 0
    heading, *rows = csv.reader((place.folder / "checkpoints" / "told" / "losses.csv").open())
    assert heading[:3] == ["epoch", "images_seen", "D_A"]
    assert rows
    assert all(len(row) == len(heading) for row in rows)
