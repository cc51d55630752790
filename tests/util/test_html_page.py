from pathlib import Path

from util.html_page import HtmlPage


def test_a_page_holds_what_was_added_in_order(tmp_path: Path) -> None:
    page = HtmlPage("results", refresh=30)
    page.text("two pictures")
    page.curves(["<svg></svg>"])
    page.header("first & last")
    page.pictures([("real", "images/a.png"), ("fake", "images/b.png")], 256)
    page.save(tmp_path / "index.html")
    html = (tmp_path / "index.html").read_text()
    parts = ["results", 'content="30"', "two pictures", "<svg>", "first &amp; last", "images/a.png", "images/b.png"]
    places = [html.index(part) for part in parts]
    assert places == sorted(places)
    assert html.count('loading="lazy"') == 2
    assert 'href="images/a.png"' in html
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_text_is_escaped_and_a_page_without_refresh_stays(tmp_path: Path) -> None:
    page = HtmlPage("<script>")
    page.pictures([('"><script>', 'x"><script>.png')], 10)
    page.save(tmp_path / "p.html")
    html = (tmp_path / "p.html").read_text()
    assert "<script>" not in html
    assert "refresh" not in html
