"""What a benchmark leaves: a table to paste into a page, and all figures as JSON."""

import argparse
import contextlib
import json
import math
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.description import describe
from benchmarks.processes import FailedError
from options.errors import UserError
from util.files import whole_file
from util.markdown import table as table

ELSEWHERE = ("benchmark", "json", "job", "dataroot", "folder", "run", "source")  # places, and what is written beside


def new_parser(name: str, about: str | None, *, measures: bool = True) -> argparse.ArgumentParser:
    """Return a parser for ``python -m benchmarks.<name>`` that shows a module's docstring as it is.

    Args:
        measures: whether there are figures to keep, with ``--json``.
    """
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=about, formatter_class=form, allow_abbrev=False
    )
    parser.set_defaults(benchmark=name)
    if measures:
        parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and what the machine is there")
    return parser


@contextlib.contextmanager
def one_sentence(name: str) -> Iterator[None]:
    """End the program with one where the flags contradict each other or a process does not get to its end."""
    try:
        yield
    except (UserError, FailedError) as error:
        sys.exit(f"python -m benchmarks.{name}: error: {error}")


def save(args: argparse.Namespace, flags: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:  # Any: JSON
    """Write the figures to the file that ``--json`` names, if any; folders of this machine are left out.

    Args:
        args: of ``new_parser``.
        flags: those that go to every side.
        rows: the table's.
    """
    if args.json is None:
        return
    hidden = {"official": bool(args.official)} if "official" in args else {}
    given = {name: value for name, value in vars(args).items() if name not in ELSEWHERE} | hidden
    told = {"benchmark": args.benchmark, "machine": describe(), "arguments": given, "flags": list(flags)}
    with whole_file(args.json) as file:
        file.write(json.dumps({**told, "rows": list(rows)}, indent=1, default=str).encode() + b"\n")


def number(value: float | None, digits: int = 3) -> str:
    """Write a figure with so many digits that count, never in powers of ten; ``-`` where there is none."""
    if value is None:
        return "-"
    decimals = digits - 1 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{max(0, decimals)}f}"


def spread(ratios: Sequence[float] | None) -> str:
    """Write the median of the rounds' ratios and their range."""
    if not ratios:
        return "-"
    return f"{statistics.median(ratios):.3f} ({min(ratios):.3f} - {max(ratios):.3f})"


def say(text: str) -> None:
    """Tell how far the benchmark is, beside its output."""
    print(text, file=sys.stderr, flush=True)
