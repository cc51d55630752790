"""The documents as tests read them: pages, their blocks of code, and the commands in those."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.conftest import PROJECT

NOT_RUN = "not run: "  # <!-- not run: reason --> in the line above a block


class Page(NamedTuple):
    """A document."""

    name: str  # relative to the project
    text: str

    @property
    def folder(self) -> Path:
        """Where relative links start."""
        return (PROJECT / self.name).parent

    @property
    def prose(self) -> str:
        """The text without blocks of code, line by line."""
        return re.sub(r"^```.*?^```$", lambda block: "\n" * block[0].count("\n"), self.text, flags=re.M | re.S)


class Block(NamedTuple):
    """Lines between two fences, or one command of these.

    Attributes:
        line: number of the first of them.
        note: of the comment above the block.
    """

    page: str
    line: int
    text: str
    note: str

    @property
    def file(self) -> str:
        """Name of the file that this is the text of; empty if the first line names none."""
        named = re.match(r"# (\S+\.py)$", self.text.splitlines()[0])
        return named[1] if named else ""

    @property
    def words(self) -> list[str]:
        """What a shell would make of a command, without the comment."""
        return shlex.split(self.text, comments=True)

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def read_pages(*, changes: bool = False) -> list[Page]:
    """Return README, CONTRIBUTING and ``docs/``; the changelog on request."""
    names = ["README.md", "CONTRIBUTING.md", *["CHANGELOG.md"] * changes]
    files = [PROJECT / name for name in names if (PROJECT / name).exists()]
    files += sorted((PROJECT / "docs").rglob("*.md"))
    return [Page(str(file.relative_to(PROJECT)), file.read_text(encoding="utf-8")) for file in files]


def blocks(page: Page, language: str) -> Iterator[Block]:
    """Yield the blocks of a page in a language."""
    pattern = rf"(?:^<!-- (?P<note>[^\n]*) -->\n)?^```(?P<language>{language})\n(?P<text>.*?)^```$"
    for found in re.finditer(pattern, page.text, flags=re.M | re.S):
        line = page.text.count("\n", 0, found.start("text")) + 1
        note = f"{NOT_RUN}a script" if found["language"] == "sh" else found["note"]
        yield Block(page.name, line, found["text"], note or "")


def commands(page: Page) -> Iterator[Block]:
    """Yield the commands of a page, also those of scripts (``sh``); a ``\\`` at the end of a line goes on with it."""
    for block in blocks(page, "(?:ba)?sh"):
        for found in re.finditer(r"^(?:.*\\\n)*.*$", block.text, flags=re.M):
            text = re.sub(r"\\\n\s*", "", found[0]).strip()
            if text and not text.startswith("#"):
                yield Block(page.name, block.line + block.text.count("\n", 0, found.start()), text, block.note)
