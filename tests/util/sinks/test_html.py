import re
from pathlib import Path

import pytest

from tests.util.sinks.events import pictures, scalars
from util.sinks.html import HtmlSink


def _sink(folder: Path, **options) -> HtmlSink:
    return HtmlSink(folder, **{"name": "run", "update_html_freq": 1000, "display_winsize": 256} | options)


def _links(folder: Path) -> list[str]:
    return re.findall(r'src="(images/[^"]+)"', (folder / "index.html").read_text())


def test_the_newest_epoch_comes_first_in_display_order(tmp_path: Path) -> None:
    sink = _sink(tmp_path / "web")
    for epoch in (1, 2):
        sink.images(pictures(epoch, epoch * 400))
        sink.images(pictures(epoch, epoch * 400 + 1))
    expected = [f"images/epoch{epoch:03d}_{label}.png" for epoch in (2, 1) for label in ("real_A", "fake_B")]
    assert _links(tmp_path / "web") == expected
    assert sorted(path.name for path in (tmp_path / "web" / "images").iterdir()) == sorted(
        link.removeprefix("images/") for link in expected
    )


def test_after_a_resume_only_pictures_that_exist_are_listed(tmp_path: Path) -> None:
    _sink(tmp_path).images(pictures(3))
    (tmp_path / "images" / "epoch003_real_A.png").unlink()
    _sink(tmp_path).images(pictures(7))
    assert _links(tmp_path) == [
        f"images/{name}.png" for name in ("epoch007_real_A", "epoch007_fake_B", "epoch003_fake_B")
    ]


def test_names_are_escaped(tmp_path: Path) -> None:
    sink = _sink(tmp_path, name="<script>alert(1)</script>", history=[scalars(1, **{"G_<b>": 1.0})])
    sink.images(pictures(labels=("../<i>", "fake_B")))
    page = (tmp_path / "index.html").read_text()
    assert not re.search("<(script|b|i)>", page)
    assert (tmp_path / "images" / "epoch001_..--i-.png").is_file()


def test_the_page_is_not_written_at_each_event_but_at_the_end(tmp_path: Path, monkeypatch) -> None:
    written = []
    monkeypatch.setattr("util.html_page.HtmlPage.save", lambda self, path: written.append(path))
    sink = _sink(tmp_path)
    for images_seen in range(100, 1500, 100):
        sink.images(pictures(1, images_seen))
    assert len(written) == 2  # the first, and one after 1000 images
    sink.scalars(scalars(1))
    sink.close()
    assert len(written) == 3


def test_the_history_of_a_resumed_run_is_drawn(tmp_path: Path) -> None:
    _sink(tmp_path, history=[scalars(n) for n in range(1, 5)]).close()
    page = (tmp_path / "index.html").read_text()
    assert page.count("<svg") == 2
    assert "cycle_A" in page


def test_a_full_disk_warns_once_and_does_not_stop_the_run(tmp_path: Path, monkeypatch, caplog) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("util.sinks.html.save_picture", full)
    sink = _sink(tmp_path)
    sink.images(pictures(1))
    sink.images(pictures(2))
    assert len(caplog.messages) == 1
    assert "No space left" in caplog.text


def test_an_interrupted_write_leaves_the_old_page_whole(tmp_path: Path, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    _sink(tmp_path).images(pictures(1))
    before = (tmp_path / "index.html").read_text()
    sink = _sink(tmp_path, name="another", history=[scalars(1)])
    monkeypatch.setattr("os.replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        sink.close()
    assert (tmp_path / "index.html").read_text() == before
