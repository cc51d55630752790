import re
from pathlib import Path

import pytest

from util.files import whole_file
from util.html_page import GrowingPage, HtmlPage, Shown


def growing(path: Path, title: str = "a run") -> GrowingPage:
    return GrowingPage(path, title, refresh=30, width=256)


def test_a_page_holds_what_was_added_in_order(tmp_path: Path) -> None:
    page = HtmlPage("results")
    page.header("first & last")
    page.images([("real", "images/a.png"), ("fake", "images/50% #1?.png")], 256)
    page.save(tmp_path / "index.html")
    html = (tmp_path / "index.html").read_text()
    parts = ["results", "first &amp; last", "images/a.png", "images/50%25%20%231%3F.png", "</html>"]
    places = [html.index(part) for part in parts]
    assert places == sorted(places)
    assert html.count('loading="lazy"') == 2
    assert all(f'href="{part}"' in html for part in parts[2:4])
    assert "refresh" not in html
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_text_is_escaped(tmp_path: Path) -> None:
    page = HtmlPage("<script>")
    page.images([('"><script>', 'x"><script>.png')], 10)
    page.save(tmp_path / "p.html")
    assert "<script>" not in (tmp_path / "p.html").read_text()


def test_a_growing_page_lists_each_image_once_and_each_epoch_under_one_heading(tmp_path: Path) -> None:
    page = growing(tmp_path / "p.html")
    one, two = Shown("a", "a.png"), Shown("b", "b.png")
    page.begin(status="s.svg", charts=[], epochs=[(1, [Shown("c", "c.png")]), (2, []), (3, [one]), (3, [one])])
    page.add(3, [one])
    page.add(3, [one, two])
    html = (tmp_path / "p.html").read_text()
    assert re.findall(r"<h2[^>]*>([^<]*)<", html) == ["epoch 1", "epoch 3"]
    assert re.findall(r'src="([^"]*)"', html) == ["s.svg", "c.png", "a.png", "b.png"]


def test_a_growing_page_reloads_itself_and_is_never_closed(tmp_path: Path) -> None:
    page = growing(tmp_path / "p.html", "<script>")
    page.begin(status="s.svg", charts=[Shown("losses", "l.svg")], epochs=[])
    page.add(1, [Shown("<script>", 'x"><script>.png')])
    html = (tmp_path / "p.html").read_text()
    assert 'content="30"' in html
    assert "</body>" not in html
    assert "</html>" not in html
    assert "<script>" not in html


def test_what_could_not_be_appended_is_not_there_twice_after_a_new_beginning(tmp_path: Path) -> None:
    path = tmp_path / "p.html"
    page, image = growing(path), Shown("a", "a.png")
    page.begin(status="s.svg", charts=[], epochs=[])
    path.unlink()
    path.mkdir()  # takes its place
    page.add(1, [image])
    path.rmdir()
    page.begin(status="s.svg", charts=[], epochs=[(1, [image])])
    page.add(2, [Shown("b", "b.png")])
    assert re.findall(r'src="([^"]*)"', path.read_text()) == ["s.svg", "a.png", "b.png"]


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write_half() -> None:
        with whole_file(path) as file:
            file.write(b"half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
