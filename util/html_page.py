"""A small web page of pictures: readable on a phone, in the dark, and without a network."""

import os
from pathlib import Path

from dominate import document
from dominate.tags import a, figcaption, figure, h1, h2, img, link, meta, p, section, style
from dominate.util import raw

# Before it is loaded a picture counts as square: without that a row has no height, and a browser would
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
p { margin: 0; color: var(--faint) }
section { display: flex; flex-wrap: wrap; gap: 12px }
figure { margin: 0; max-width: calc(50% - 6px) }
figure img { display: block; width: 100%; height: auto; aspect-ratio: auto 1 / 1; border-radius: 6px;
  border: 1px solid var(--line); background: var(--card); image-rendering: auto }
figcaption { margin-top: 4px; font-size: 13px; color: var(--faint); overflow-wrap: anywhere }
.curves { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 16px }
.curves svg { flex: 1 1 420px; min-width: 0; max-width: 100%; height: auto; color: var(--text);
  background: var(--card); border: 1px solid var(--line); border-radius: 10px }
"""


class HtmlPage:
    """Collect headers, pictures and curves; ``save`` writes the page. Text is escaped."""

    def __init__(self, title: str, *, refresh: int | None = None) -> None:
        """Start a page that a browser reloads every ``refresh`` seconds, or never."""
        self._document = document(title=title)
        self._document["lang"] = "en"
        with self._document.head:  # type: ignore[attr-defined]
            meta(charset="utf-8")
            meta(name="viewport", content="width=device-width, initial-scale=1")
            if refresh:
                meta(http_equiv="refresh", content=str(refresh))
            link(rel="icon", href="data:,")
            style(raw(CSS))
        self._document.add(h1(title))

    def text(self, paragraph: str) -> None:
        """Add a paragraph."""
        self._document.add(p(paragraph))

    def header(self, text: str) -> None:
        """Add a heading."""
        self._document.add(h2(text))

    def pictures(self, row: list[tuple[str, str]], width: int) -> None:
        """Add pictures side by side; they wrap on a narrow screen.

        Args:
            row: (label, image path relative to the page), in display order.
            width: pixels per picture, where there is room.
        """
        with self._document.add(section()):
            for label, path in row:
                with figure(style=f"width: {width}px"):
                    with a(href=path):
                        img(src=path, alt=label, loading="lazy")
                    figcaption(label)

    def curves(self, svg: list[str]) -> None:
        """Add inline SVG drawings side by side, as they are: they are not escaped."""
        with self._document.add(section(cls="curves")):
            for drawing in svg:
                raw(drawing)

    def save(self, path: Path) -> None:
        """Write the page so that a browser never sees half of it."""
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text(self._document.render(), encoding="utf-8")
        os.replace(temporary, path)
