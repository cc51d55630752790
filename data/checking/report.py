"""What a check says: a text to read, and the same for programs."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data.checking.findings import Checked, Finding, Item
from data.checking.partners import Mode
from data.checking.summary import Summary, counted
from data.pixels import size_text

ITEMS_SHOWN = 5
_FILES_SHOWN = 3  # of an item

_TITLES = {"problem": "Problems, which stop a training", "warning": "Warnings", "note": "Notes"}


@dataclass
class Report:
    """The outcome of a check.

    Attributes:
        root: as ``--dataroot`` gave it.
        command: what to type to train on this.
        hint: what else it may be; empty where that is clear.
    """

    root: str
    mode: Mode
    checked: Sequence[Checked]
    findings: Sequence[Finding]
    command: str
    hint: str

    @property
    def sound(self) -> bool:
        """True where nothing was found that stops a training."""
        return all(finding.level != "problem" for finding in self.findings)

    def text(self) -> str:
        """Write it for people."""
        lines = [self.root, ""]
        width = max(len(one.source.name) for one in self.checked)
        lines += [f"{one.source.name:<{width}}  {_line(one)}" for one in self.checked]
        for level, title in _TITLES.items():
            found = [finding for finding in self.findings if finding.level == level]
            if found:
                lines += ["", title]
                lines += [line for finding in found for line in self._finding(finding)]
        if not self.findings:
            lines += ["", "Nothing is wrong with it."]
        hint = [f"  {self.hint}"] if self.hint else []
        return "\n".join([*lines, "", "Fitting flags", f"  {self.command}", *hint])

    def write_json(self, path: Path) -> None:
        """Write it for programs, with every file."""
        findings = [
            {**finding._asdict(), "items": [item._asdict() for item in finding.items]} for finding in self.findings
        ]
        content = {
            "dataroot": self.root,
            "dataset_mode": self.mode,
            "sound": self.sound,
            "folders": [_folder(one) for one in self.checked],
            "findings": findings,
            "command": self.command,
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")

    def _finding(self, finding: Finding) -> Iterator[str]:
        yield f"  {finding.text}" + (":" if finding.items else "")
        for item in finding.items[:ITEMS_SHOWN]:
            yield f"    {self._item(item)}"
        if len(finding.items) > ITEMS_SHOWN:
            yield f"    and {len(finding.items) - ITEMS_SHOWN:,} more (--json FILE names all)"

    def _item(self, item: Item) -> str:
        names = [self._short(path) for path in item.files[:_FILES_SHOWN]]
        more = f" = {len(item.files) - _FILES_SHOWN} more" if len(item.files) > _FILES_SHOWN else ""
        return " = ".join(names) + more + (f" ({item.detail})" if item.detail else "")

    def _short(self, path: str) -> str:
        """Return a path below the data set where it lies there."""
        below = os.path.relpath(path, self.root if os.path.isdir(self.root) else os.path.dirname(self.root) or ".")
        return path if below.startswith("..") else below


def value_extent(checked: Checked) -> tuple[float, float] | None:
    """Return the smallest and the largest value of the images that are not 8-bit; None where there are none."""
    deep = [seen for _, seen in checked.readable() if seen.header.dtype != np.uint8]
    return (min(seen.low for seen in deep), max(seen.high for seen in deep)) if deep else None


def _line(checked: Checked) -> str:
    """Describe a source in one line."""
    summary = _summary(checked)
    parts = [f"{len(checked.results):,} files"]
    if summary.sizes:
        parts += [summary.size_text, summary.shape_text, counted(summary.formats), counted(summary.kinds)]
    extent = value_extent(checked)
    if extent:
        parts.append(f"values {extent[0]:g} to {extent[1]:g}")
    return "; ".join(parts)


def _folder(checked: Checked) -> Mapping[str, Any]:
    source, summary = checked.source, _summary(checked)
    return {
        "name": source.name,
        "phase": source.phase,
        "side": source.side,
        "files": len(checked.results),
        "sizes": {size_text(size): count for size, count in summary.sizes.most_common()},
        "formats": dict(summary.formats.most_common()),
        "kinds": dict(summary.kinds.most_common()),
        "values": value_extent(checked),
    }


def _summary(checked: Checked) -> Summary:
    return Summary.of([seen.header for _, seen in checked.readable()])
