"""Flags, files and modules that the documents name are there."""

import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from options.flag import Settings, flags_of
from tests.conftest import PROJECT
from tests.docs.pages import Page, blocks, read_pages

PAGES = read_pages(changes=True)
CODE = [*(path for path in PROJECT.iterdir() if (path / "__init__.py").exists() and path.name != "tests"), PROJECT]
FOLDERS = {path.name for path in CODE if path != PROJECT} | {"examples", "tests", "docs", ".ci"}
WRITTEN = (".json", ".jsonl", ".md", ".html", ".png", ".txt")  # by our commands, so no modules
AVOIDED = ("util.py", "helpers.py", "misc.py")  # named as names to avoid
FOREIGN = {
    "srun and sbatch": "cpus-per-task gpus-per-node job-name nodes ntasks-per-node requeue signal time",
    "curl": "data-binary",
    "http.server": "directory",
    "mypy": "strict",
    "the official code of CUT": "no_antialias no_antialias_up",
    "none: cut short, to show that this is refused": "batch",
}


def sources() -> Iterator[Path]:
    for folder in CODE:
        yield from folder.glob("*.py") if folder == PROJECT else folder.rglob("*.py")


def all_settings(table: type = Settings) -> Iterator[type]:
    yield table
    kinds: list[type] = type.__subclasses__(table)
    for kind in kinds:
        yield from all_settings(kind)


@cache
def own_flags() -> set[str]:
    """Return the flags that our commands take, and those of the worked examples."""
    names = set[str]()
    for table in all_settings():
        for name, declared in flags_of(table).items():
            names |= {name, *declared.aliases, *declared.shorthands}
    examples = [block.text for page in PAGES for block in blocks(page, "python")]
    names |= set(re.findall(r"^ +(\w+): .* = flag\(", "\n".join(examples), flags=re.M))
    for path in sources():
        names |= set(re.findall(r"\"--([\w-]+)\"", path.read_text(encoding="utf-8")))
    return {f"--{name}" for name in names}


@cache
def flags_of_torchrun() -> set[str]:
    from torch.distributed.run import get_args_parser

    return set(get_args_parser()._option_string_actions)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_flag_is_one_of_ours(page: Page) -> None:
    named = set(re.findall(r"(?<![\w-])(--[A-Za-z][\w-]*)", page.text))
    foreign = {f"--{flag}" for flags in FOREIGN.values() for flag in flags.split()}
    unknown = named - own_flags() - flags_of_torchrun() - foreign
    families = {name for name in unknown if name.endswith("_") and any(own.startswith(name) for own in own_flags())}
    assert not unknown - families


@cache
def new_files() -> set[str]:
    """Return the files that the worked examples write."""
    return {block.file for page in PAGES for block in blocks(page, "python")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_and_module_of_ours_is_there(page: Page) -> None:
    missing = [span for span in set(re.findall(r"`([^`\n]+)`", page.prose)) if not _is_there(span)]
    assert not missing


def _is_there(span: str) -> bool:
    """Tell whether a span of code, if it looks like a file, a folder or a module of ours, is one."""
    if span in new_files() or span in AVOIDED:
        return True
    if re.fullmatch(r"\w+\.py", span):
        return any(path.name == span for path in sources())
    if re.fullmatch(r"[\w.-]+/[\w./-]*", span) and span.split("/")[0] in FOLDERS:
        data = span.startswith("datasets/") and not span.endswith(".py")
        return data or any(path.exists() for path in (PROJECT / span, PROJECT / f"{span}.py"))
    if re.fullmatch(r"\w+(\.\w+)+", span) and span.split(".")[0] in FOLDERS and Path(span).suffix not in WRITTEN:
        return _resolves(span)
    return True


def _resolves(name: str) -> bool:
    try:
        return pkgutil.resolve_name(name) is not None
    except (ImportError, AttributeError):
        return False
