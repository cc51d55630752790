"""The web page of a run, and what a browser would show of it."""

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.util.sinks.events import images, samples
from util.curves.history import History
from util.sinks.events import Scalars
from util.sinks.html import HtmlSink

LABELS = ("real_A", "fake_B")


def open_sink(web: Path, *past: Scalars, **options: Any) -> HtmlSink:
    defaults: dict[str, Any] = {
        "name": "run",
        "update_html_freq": 1000,
        "display_winsize": 256,
        "history": History(past),
    }
    return HtmlSink(web, **{**defaults, **options})


def train(web: Path, *epochs: int, sheets: bool = True, **options: Any) -> HtmlSink:
    """Show images twice in every epoch, as a training does."""
    sink = open_sink(web, **options)
    for epoch in epochs:
        for images_seen in (epoch * 400 - 200, epoch * 400):
            sink.images(images(epoch, images_seen))
            if sheets:
                sink.samples(samples(epoch, images_seen))
    return sink


class Reader(HTMLParser):
    """Collects headings and images, and how the style orders them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sources: list[str] = []
        self.links: list[str] = []
        self.blocks: list[tuple[int, list[str]]] = [(-(10**9), [])]
        self._tag = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if match := re.fullmatch(r"order: (-\d+)", found.get("style") or ""):
            self.blocks.append((int(match[1]), []))
        if tag == "img":
            self.sources.append(unquote(found["src"] or ""))
            self.blocks[-1][1].append(self.sources[-1])
        if tag == "a":
            self.links.append(unquote(found["href"] or ""))
        self._tag = tag

    def handle_data(self, data: str) -> None:
        if self._tag == "h2" and data.strip():
            self.blocks[-1][1].append(data.strip())

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""


def read(web: Path) -> Reader:
    """Read the page; all that it names must be there."""
    reader = Reader((web / "index.html").read_text(encoding="utf-8"))
    for name in (*reader.sources, *reader.links):
        assert (web / name).is_file(), name
    return reader


def shown(web: Path) -> list[str]:
    """Return headings and images from top to bottom."""
    (_, _drawings), *blocks = read(web).blocks
    return [item for _, items in sorted(blocks, key=lambda block: block[0]) for item in items]


def epoch(number: int, *labels: str, sheet: bool = True) -> list[str]:
    """Return what an epoch shows."""
    rows = [f"images/epoch{number:03d}_{label}.png" for label in labels or LABELS]
    return [f"epoch {number}", *rows, *([f"images/epoch{number:03d}_samples.jpg"] if sheet else [])]
