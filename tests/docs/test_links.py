"""Links of the documents lead somewhere, images are there and shown, and every page can be found from the README."""

import re
from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.conftest import PROJECT
from tests.docs.pages import Page, read_pages

PAGES = {page.name: page for page in read_pages(changes=True)}
LINK = re.compile(r"(?<!\\)\[[^\]]*\]\(([^)]+)\)|<(https?://[^>]+)>|(?:src|href)=\"([^\"]+)\"")


def links(page: Page) -> Iterator[str]:
    """Yield where a page leads, but for what is code."""
    for found in LINK.finditer(re.sub(r"`[^`\n]*`", "", page.prose)):
        yield next(target for target in found.groups() if target)


def is_external(link: str) -> bool:
    return bool(urlsplit(link).scheme)


def place(page: Page, link: str) -> str:
    """Return the file that a link leads to, relative to the project."""
    path = urlsplit(link).path
    return str((page.folder / path).resolve().relative_to(PROJECT)) if path else page.name


def anchors(page: Page) -> set[str]:
    """Return the anchors of the headings, by the rule of GitHub."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in re.findall(r"^#+ +(.*?) *#*$", page.prose, flags=re.M):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", page.prose))


LINKS = sorted({(page.name, link) for page in PAGES.values() for link in links(page)})
INTERNAL = [(name, link) for name, link in LINKS if not is_external(link)]


@pytest.mark.parametrize(("name", "link"), INTERNAL)
def test_relative_links_lead_to_a_file_and_a_heading_of_it(name: str, link: str) -> None:
    target = place(PAGES[name], link)
    assert (PROJECT / target).exists()
    if anchor := urlsplit(link).fragment:
        assert anchor in anchors(PAGES[target])


@pytest.mark.parametrize(("name", "link"), [one for one in LINKS if one not in INTERNAL])
def test_external_links_are_well_formed(name: str, link: str) -> None:
    parts = urlsplit(link)
    assert parts.scheme in ("http", "https"), name
    assert re.fullmatch(r"(localhost|127\.0\.0\.1)(:\d+)?|([\w-]+\.)+[a-z]{2,}", parts.netloc), name
    assert re.fullmatch(r"[\w\-./~%:=&+,@]*", parts.path + parts.query + parts.fragment), name


def test_every_image_is_shown() -> None:
    shown = {place(PAGES[name], link) for name, link in INTERNAL}
    stored = {str(path.relative_to(PROJECT)) for path in (PROJECT / "docs" / "images").iterdir()}
    assert stored <= shown


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, new = set[str](), {"README.md"}
    while new:
        reached |= new
        new = {place(PAGES[name], link) for name, link in INTERNAL if name in new} & set(PAGES) - reached
    assert reached == set(PAGES)
