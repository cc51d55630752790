"""``python -m benchmarks.plot``: which curves it draws of which figures, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plot import main, panels

pytest.importorskip("matplotlib")


def row(side: str, size: int, batch_size: int, seconds: float | None = 1.0, what: str = "cycle_gan") -> dict[str, Any]:
    memory = None if seconds is None else 2**30 * size
    values = (what, side, size, batch_size, seconds, memory)
    return dict(zip(("what", "side", "size", "batch_size", "seconds", "memory"), values, strict=True))


GRID = [row(side, size, batch) for side in ("ours", "official") for size in (256, 128) for batch in (1, 4)]


def test_a_curve_for_each_side_by_size_and_by_batch_size() -> None:
    by_size, by_batch, *_ = panels(GRID)
    assert by_size.curves == {side: [(128, 1.0), (256, 1.0)] for side in ("ours", "official")}
    assert by_batch.curves == {side: [(1, 1.0), (4, 0.25)] for side in ("ours", "official")}
    assert (by_size.title, by_batch.title) == ("cycle_gan, batch 1", "cycle_gan, 256 px")


def test_cells_that_failed_have_no_point_and_single_points_no_panel() -> None:
    rows = [row("ours", 128, 1), row("ours", 256, 1), row("official", 128, 1), row("official", 256, 1, None)]
    for panel in (both := list(panels(rows))):
        assert [len(points) for points in panel.curves.values()] == [2, 1]
    assert [panel.quantities.title for panel in both] == ["time per image", "memory"]


def test_a_small_image_with_every_side_in_the_legend(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    figures, image = tmp_path / "step.json", tmp_path / "step.svg"
    figures.write_text(json.dumps({"rows": [*GRID, row("$a fast way", 128, 1), row("$a fast way", 256, 1)]}))
    main([str(figures), "--out", str(image)])
    text = image.read_text()
    assert all(word in text for word in ("ours", "official", "$a fast way", "time per image, s", "memory, GiB"))
    assert image.stat().st_size < 60_000
    assert capsys.readouterr().out.strip() == str(image)


@pytest.mark.parametrize(
    ("content", "out", "message"),
    [
        ("{", "a.svg", "cannot be read"),
        ('{"rows": [{"precision": "fp32"}]}', "a.svg", "has no sizes to draw"),
        (json.dumps({"rows": GRID[:1]}), "a.svg", "no curves to draw"),
        (json.dumps({"rows": GRID}), "a.pdf", "ends in neither .png nor .svg"),
    ],
)
def test_what_cannot_be_drawn(content: str, out: str, message: str, tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    figures.write_text(content)
    with pytest.raises(SystemExit, match=message):
        main([str(figures), "--out", str(tmp_path / out)])
    assert not (tmp_path / out).exists()
