"""What a benchmark leaves: a table to paste into a page, and all figures as JSON."""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.description import describe
from util.whole_file import whole_file


def new_parser(name: str, about: str | None) -> argparse.ArgumentParser:
    """Return a parser for ``python -m benchmarks.<name>`` that shows a module's docstring as it is."""
    form = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=about, formatter_class=form, allow_abbrev=False
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the flag that keeps the figures."""
    text = "write all figures and a description of the machine there; python -m benchmarks.plot draws them"
    parser.add_argument("--json", type=Path, metavar="FILE", help=text)


def save(
    args: argparse.Namespace, flags: Sequence[str], rows: Sequence[Mapping[str, Any]], **more: Any
) -> None:  # Any: what JSON can hold
    """Write the figures to the file that ``--json`` names, if any; the folders of others' code are left out.

    Args:
        flags: those that go to every side.
        rows: the table's.
    """
    if args.json is None:
        return
    hidden = {"official": bool(args.official)} if "official" in args else {}
    given = {name: value for name, value in vars(args).items() if name not in ("json", "dataroot", "job")} | hidden
    document = {"machine": describe(), "arguments": given, "flags": list(flags), **more, "rows": list(rows)}
    with whole_file(args.json) as file:
        file.write(json.dumps(document, indent=1, default=str).encode() + b"\n")


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table, numbers to the right; a column that says nothing is left out."""
    told = [index for index in range(len(titles)) if any(row[index] != "-" for row in rows)]
    titles, rows = [titles[index] for index in told], [[row[index] for index in told] for row in rows]
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    right = [any(row[index][:1].isdigit() for row in rows) for index in range(len(titles))]

    def line(cells: Sequence[str]) -> str:
        sized = zip(cells, widths, right, strict=True)
        return (
            "| "
            + " | ".join(cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in sized)
            + " |"
        )

    rule = ["-" * (width - 1) + (":" if to_right else "-") for width, to_right in zip(widths, right, strict=True)]
    return "\n".join([line(titles), line(rule), *map(line, rows)])


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
