"""The tables: data files in ``ablation/tables`` with the flags of each row and the scores that the paper gives."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from options.errors import UserError
from util.registry import did_you_mean

FOLDER = Path(__file__).resolve().parent / "tables"
ODD = re.compile(r"[^\w.-]+")

Flags = Mapping[str, Any]  # Any: strings, numbers, switches


@dataclass(frozen=True)
class Row:
    """What one row of a table changes.

    Attributes:
        flags: of ``train.py``; ``{size}`` in a value stands for the size of the training images.
    """

    label: str
    flags: Flags

    @property
    def slug(self) -> str:
        """The label as part of a file's name."""
        return ODD.sub("-", self.label)


@dataclass(frozen=True)
class Published:
    """Scores that a paper gives for its rows, measured alike.

    Attributes:
        measure: what was measured, on which set.
        columns: names of the scores.
        rows: label -> a score for each column.
        beside: the same for what is no row of ours, such as the ground truth.
        generator: of a CycleGAN, the one whose translations were measured.
    """

    measure: str
    better: Literal["higher", "lower"]
    columns: tuple[str, ...]
    rows: Mapping[str, tuple[float, ...]]
    beside: Mapping[str, tuple[float, ...]]
    generator: str = ""

    def concerns(self, score: str) -> bool:
        """Tell whether a score of ``evaluate.py`` is of that generator, such as ``fid_G_A``."""
        return score.endswith(f"_{self.generator}") if self.generator else True


@dataclass(frozen=True)
class Table:
    """A table of a paper.

    Attributes:
        source: paper and number of the table.
        protocol: how the paper trained and measured, as far as it moves the scores.
        metrics: what is measured where the user does not say it, as ``evaluate.py --metrics`` takes it.
        flags: of every row, weaker than a preset and what the user types.
    """

    name: str
    about: str
    source: str
    protocol: str
    model: str
    metrics: str
    flags: Flags
    rows: tuple[Row, ...]
    published: tuple[Published, ...]

    @property
    def varied(self) -> frozenset[str]:
        """The flags in which the rows differ."""
        return frozenset(name for row in self.rows for name in row.flags)

    def chosen(self, labels: str) -> tuple[Row, ...]:
        """Return the rows that are named, with commas between; all for an empty text.

        Raises:
            UserError: there is no such row.
        """
        known = {name.lower(): row for row in self.rows for name in (row.label, row.slug)}
        wanted = [label.strip() for label in labels.split(",") if label.strip()]
        for label in wanted:
            if label.lower() not in known:
                names = [row.label for row in self.rows]
                raise UserError(
                    f"{self.name} has no row {label!r}{did_you_mean(label, names)}; its rows: {', '.join(names)}"
                )
        picked = [known[label.lower()] for label in wanted]
        return tuple(row for row in self.rows if not wanted or row in picked)


def table_names() -> list[str]:
    """Return the names of all tables, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read_table(name: str) -> Table:
    """Look a table up.

    Raises:
        UserError: there is none of that name; the message lists the known ones and the nearest.
    """
    names = table_names()
    if name not in names:
        raise UserError(f"unknown table {name!r}{did_you_mean(name, names)}; known: {', '.join(names)}")
    content = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    rows = tuple(Row(**row) for row in content.pop("rows"))
    published = tuple(_published(one) for one in content.pop("published"))
    return Table(name=name, rows=rows, published=published, **content)


def _published(content: Mapping[str, Any]) -> Published:
    def scores(key: str) -> dict[str, tuple[float, ...]]:
        return {label: tuple(values) for label, values in content.get(key, {}).items()}

    better, columns = content["better"], tuple(content["columns"])
    return Published(
        content["measure"], better, columns, scores("rows"), scores("beside"), content.get("generator", "")
    )


def words(flags: Flags, size: int | None = None) -> list[str]:
    """Return flags as they are typed.

    Args:
        size: what ``{size}`` stands for.
    """
    typed: list[str] = []
    for name, value in flags.items():
        if isinstance(value, bool):
            typed += [f"--{name}", str(value).lower()]
        else:
            typed += [f"--{name}", value.format(size=size) if isinstance(value, str) else str(value)]
    return typed


def listing(names: Sequence[str]) -> str:
    """Return tables with their rows, for people."""
    lines: list[str] = []
    for table in map(read_table, names):
        lines += [f"{table.name}: {table.about} ({table.source}); measured: {table.metrics}"]
        wide = max(len(row.label) for row in table.rows)
        lines += [f"    {row.label:<{wide}}  {' '.join(words(row.flags, size=256))}".rstrip() for row in table.rows]
    return "\n".join(lines)
