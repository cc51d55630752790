"""Markdown that can be read as it is."""

from collections.abc import Sequence


def table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table, numbers to the right; a column that says nothing is left out."""
    told = [index for index in range(len(titles)) if any(row[index] != "-" for row in rows)]
    titles, rows = [titles[index] for index in told], [[row[index] for index in told] for row in rows]
    widths = [max(3, *map(len, column)) for column in zip(titles, *rows, strict=True)]
    right = [any(row[index][:1].isdigit() for row in rows) for index in range(len(titles))]

    def line(cells: Sequence[str]) -> str:
        sized = zip(cells, widths, right, strict=True)
        padded = [cell.rjust(width) if to_right else cell.ljust(width) for cell, width, to_right in sized]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * (width - 1) + (":" if to_right else "-") for width, to_right in zip(widths, right, strict=True)]
    return "\n".join([line(titles), line(rule), *map(line, rows)])
