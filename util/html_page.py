"""Small web pages of images: readable on a phone, in the dark, and without a network.

A ``HtmlPage`` is written once, complete. A ``GrowingPage`` only gets lines at its end, so that the thousandth costs
what the first one did.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from dominate import document
from dominate.tags import a, dom_tag, figcaption, figure, h1, h2, header, img, link, meta, section, style
from dominate.util import raw

from util.files import LineWriter, whole_file

# Before it is loaded an image counts as square: without that a row has no height, and a browser would
# fetch the whole page at once in spite of loading="lazy".
CSS = """
:root { color-scheme: light dark;
  --text: #1f2328; --faint: #6b7280; --line: #e3e6ea; --back: #fbfbfc; --card: #fff }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8eb; --faint: #9aa3ad; --line: #2c3138; --back: #14171a; --card: #1b1f24 }
}
* { box-sizing: border-box }
body { margin: 0 auto; padding: 20px 16px 48px; max-width: 1500px;
  color: var(--text); background: var(--back);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
h1 { margin: 0 0 4px; font-size: 24px; font-weight: 650; overflow-wrap: anywhere }
h2 { margin: 28px 0 8px; font-size: 15px; font-weight: 600; color: var(--faint); overflow-wrap: anywhere }
section { display: flex; flex-wrap: wrap; gap: 12px }
section + section { margin-top: 12px }
figure { margin: 0; max-width: calc(50% - 6px) }
figure.whole { max-width: 100% }
figure img { display: block; width: 100%; height: auto; aspect-ratio: auto 1 / 1; border-radius: 6px;
  border: 1px solid var(--line); background: var(--card); image-rendering: auto }
figcaption { margin-top: 4px; font-size: 13px; color: var(--faint); overflow-wrap: anywhere }
.growing { display: flex; flex-direction: column; reading-flow: flex-visual }
.growing header { order: -999999999 }
.status { display: block; max-width: 100%; height: auto }
.curves { gap: 16px; margin-top: 16px }
.curves a { flex: 1 1 420px; min-width: 0 }
.curves img { display: block; width: 100%; height: auto; border: 1px solid var(--line); border-radius: 10px }
"""


class Shown(NamedTuple):
    """An image on a page; with a size, in pixels, it has a row of its own and is not enlarged."""

    label: str
    path: str  # relative to the page
    size: tuple[int, int] | None = None  # width, height


class HtmlPage:
    """Collect headers and images; ``save`` writes the page. Text is escaped."""

    def __init__(self, title: str) -> None:
        self._document = _document(title)
        self._document.add(h1(title))

    def header(self, text: str) -> None:
        """Add a heading."""
        self._document.add(h2(text))

    def images(self, row: Sequence[tuple[str, str]], width: int) -> None:
        """Add images side by side; they wrap on a narrow screen.

        Args:
            row: (label, image path relative to the page), in display order.
            width: pixels per image, where there is room.
        """
        self._document.add(_row([Shown(*item) for item in row], width))

    def save(self, path: Path) -> None:
        """Write the page so that a browser never sees half of it."""
        with whole_file(path) as file:
            file.write(self._document.render().encode(errors="replace"))


class GrowingPage:
    """A page of epochs, the newest on top, that is appended to.

    In the file the oldest is first and the style puts it last. The tags that would close the page are left out, as HTML
    allows. Text is escaped.
    """

    def __init__(self, path: Path, title: str, *, refresh: int, width: int) -> None:
        """Describe a page that a browser reloads every ``refresh`` seconds, with ``width`` pixels per image."""
        self._path = path
        self._title, self._refresh, self._width = title, refresh, width
        self._epoch, self._listed = 0, set[str]()  # the newest epoch, and the paths of its images
        self._writer = LineWriter(path)

    @property
    def exists(self) -> bool:
        """Whether the file is there; while it is not, nothing may be added."""
        return self._path.exists()

    def begin(self, *, status: str, charts: Sequence[Shown], epochs: Iterable[tuple[int, Sequence[Shown]]]) -> None:
        """Write the page anew, so that a browser never sees half of it.

        Args:
            status: path of a drawing of one line of text, relative to the page.
            charts: drawings, shown side by side.
            epochs: images, oldest epoch first; an epoch may come in several rows.
        """
        self._epoch, self._listed = 0, set()
        with whole_file(self._path) as file:
            file.write(self._opening(status, charts).encode())
            for epoch, images in epochs:
                file.write(self._line(epoch, images).encode())
        self._writer = LineWriter(self._path)  # what an older one could not write is on the page now

    def add(self, epoch: int, images: Sequence[Shown]) -> None:
        """Append a row of those that are not yet on the page; the epoch must be the newest or a new one."""
        if line := self._line(epoch, images):
            self._writer.write(line.rstrip("\n"))

    def _opening(self, status: str, charts: Sequence[Shown]) -> str:
        page = _document(self._title, self._refresh)
        page.body["class"] = "growing"  # type: ignore[attr-defined]
        with page.add(header()):
            h1(self._title)
            img(src=status, alt="status", cls="status")
            with section(cls="curves"):
                for chart in charts:
                    with a(href=chart.path):
                        img(src=chart.path, alt=chart.label)
        return str(page.render()).rpartition("</body>")[0]

    def _line(self, epoch: int, images: Sequence[Shown]) -> str:
        if epoch != self._epoch:
            self._epoch, self._listed = epoch, set()
        new = [image for image in images if image.path not in self._listed]
        if not new:
            return ""
        parts: list[dom_tag] = [] if self._listed else [h2(f"epoch {epoch}")]
        parts.append(_row(new, self._width))
        self._listed.update(image.path for image in new)
        for part in parts:
            part["style"] = f"order: {-epoch}"
        return "".join(part.render(pretty=False) for part in parts) + "\n"


def _document(title: str, refresh: int | None = None) -> document:
    page = document(title=title)
    page["lang"] = "en"
    with page.head:  # type: ignore[attr-defined]
        meta(charset="utf-8")
        meta(name="viewport", content="width=device-width, initial-scale=1")
        if refresh:
            meta(http_equiv="refresh", content=str(refresh))
        link(rel="icon", href="data:,")
        style(raw(CSS))
    return page


def _row(images: Sequence[Shown], width: int) -> section:
    row = section()
    with row:
        for label, path, size in images:
            with figure(style=f"width: {size[0] if size else width}px", cls="whole" if size else None):
                with a(href=quote(os.fsencode(path))):
                    ratio = f"aspect-ratio: {size[0]} / {size[1]}" if size else None
                    img(src=quote(os.fsencode(path)), alt=label, loading="lazy", style=ratio)
                figcaption(label)
    return row
