"""What the sheet of ``python -m data.check`` shows."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.check import main
from data.checking.contact_sheet import thumbnail
from tests.images import write

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def sheet(root: Path) -> Image.Image:
    path = root.parent / "look.png"
    assert main(["--dataroot", str(root), "--threads", "2", "--sheet", str(path)]) == 0
    return Image.open(path)


def places(shown: Image.Image, colour: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """Left, top, width and height of a colour on a sheet."""
    rows, columns = np.nonzero((np.abs(np.asarray(shown).astype(int) - colour) < 3).all(axis=2))
    return int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def test_it_shows_images_of_every_folder_in_their_shape(tmp_path: Path) -> None:
    for folder, colour in (("trainA", RED), ("trainB", GREEN), ("testA", BLUE)):
        write(Image.new("RGB", (60, 30), colour), tmp_path / "set" / folder / f"{folder}.png")
    shown = sheet(tmp_path / "set")
    found = [places(shown, colour) for colour in (RED, GREEN, BLUE)]
    assert [size for *_, width, height in found for size in (width, height)] == [150, 75] * 3
    assert found[0][1] < found[1][1] < found[2][1]


def test_it_shows_pairs_side_by_side(tmp_path: Path) -> None:
    for folder, colour in (("trainA", RED), ("trainB", GREEN)):
        write(Image.new("RGB", (60, 30), colour), tmp_path / "set" / folder / "x.png")
    shown = sheet(tmp_path / "set")
    A, B = (places(shown, colour) for colour in (RED, GREEN))
    assert A[0] + A[2] == B[0]
    assert A[1:] == B[1:]


def test_cmyk_is_shown_in_its_colors(tmp_path: Path) -> None:
    write(Image.new("RGB", (40, 40), (200, 40, 90)).convert("CMYK"), tmp_path / "images" / "c.tif")
    assert [200, 40, 90] in np.array(sheet(tmp_path / "images")).reshape(-1, 3).tolist()


def test_deep_images_are_visible(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    ramp = np.tile(np.linspace(1000, 1400, 100).astype(np.uint16), (60, 1))
    Image.fromarray(ramp).save(tmp_path / "set" / "ramp.png")
    shown = np.asarray(sheet(tmp_path / "set").convert("L"))[40:100, 10:140]
    assert shown.min() < 30
    assert shown.max() > 225


def test_a_name_that_is_too_long_keeps_its_ends(tmp_path: Path) -> None:
    write(Image.new("RGB", (40, 40), RED), tmp_path / "set" / f"{'x' * 100}.png")
    assert places(sheet(tmp_path / "set"), RED)[2:] == (150, 150)


def test_an_image_that_is_gone_since_is_left_out(tmp_path: Path) -> None:
    assert thumbnail(str(tmp_path / "gone.png"), side=150) is None


def test_a_sheet_is_a_png(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--dataroot", str(tmp_path), "--sheet", "look.jpg"]) == 2
    assert "--sheet look.jpg must end in .png" in capsys.readouterr().err
