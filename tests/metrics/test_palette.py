"""Classes of colours, and the files that name them."""

from pathlib import Path

import pytest
import torch

from metrics.palette import BUILT_IN, load_palette
from options.errors import UserError


def of_colours(*colours: tuple[int, int, int]) -> torch.Tensor:
    """A label map of one pixel a colour, 1 x 3 x 1 x W."""
    return torch.tensor(colours).T[None, :, None, :] / 255


def test_a_pixel_has_the_class_of_the_nearest_colour() -> None:
    palette = load_palette("cityscapes")
    assert len(palette.classes) == 19
    pixels = of_colours((128, 64, 128), (130, 60, 125), (75, 125, 185), (0, 0, 0), (81, 0, 81), (0, 0, 142))
    names = [(*palette.classes, "void")[number] for number in palette.numbers(pixels).flatten()]
    assert names == ["road", "road", "sky", "void", "void", "car"]


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_colour_of_a_palette_is_its_own_class(name: str) -> None:
    palette = load_palette(name)
    found = palette.numbers(palette.colours.T[None, :, None, :] / 255)
    assert found.flatten().tolist() == palette.class_of_colour.tolist()


def test_a_tie_goes_to_the_colour_that_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "p.txt"
    file.write_text("b 20,0,0\na 0,0,0\n")
    assert load_palette(str(file)).numbers(of_colours((10, 0, 0))).item() == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("p.json", '{"road": [128, 64, 128], "void": [[0, 0, 0], [9, 9, 9]], "green hill": [0, 255, 0]}'),
        ("p.txt", "# classes\nroad 128,64,128\nvoid 0 0 0\n\nvoid: 9, 9, 9\ngreen hill 0,255,0\n"),
        ("p.txt", "road=128,64,128\nvoid,0,0,0\nvoid = 9,9,9\ngreen hill: 0 255 0"),
    ],
)
def test_palettes_are_read_from_files(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    palette = load_palette(str(file))
    assert palette.classes == ("road", "green hill")
    assert palette.colours.tolist() == [[128, 64, 128], [0, 0, 0], [9, 9, 9], [0, 255, 0]]
    assert palette.class_of_colour.tolist() == [0, 2, 2, 1]
    assert palette.source == name


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("p.json", "{", "p.json is no palette .*write"),
        ("p.json", "[1]", "is no palette"),
        ("p.json", '{"road": [1, 2]}', "is no palette"),
        ("p.json", '{"road": [1, 2, 300]}', "levels are whole numbers from 0 to 255"),
        ("p.txt", "road 1,2", "'road 1,2' is not a name and r,g,b"),
        ("p.txt", "void 0,0,0", "has no class besides void"),
        ("p.txt", "a 0,0,0\nb 0,0,0", "has the same colour twice"),
        ("q.txt", "", "cannot be read .*built in are cityscapes, facades"),
    ],
)
def test_what_is_no_palette_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / "p.json").write_text(text)
    (tmp_path / "p.txt").write_text(text)
    with pytest.raises(UserError, match=words):
        load_palette(str(tmp_path / name))


def test_without_a_palette_the_choices_are_named() -> None:
    with pytest.raises(UserError, match="need --palette: cityscapes, facades, or a .json"):
        load_palette("")
