"""The result folder: one file per image, none overwritten, and a page that lists them all."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from options.cli import parse_test
from options.schema import Options
from util.raster.kinds import Header
from util.results import FileKind, ResultPage, result_folder, stretched

BYTES = {"A": FileKind(Header("PNG", 4, 4, 3, np.dtype(np.uint8), "rgb"), np.dtype(np.uint8), None)}


def options(*flags: str) -> Options:
    return parse_test(["--dataroot", "unused", "--name", "run", *flags])


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], "results/run/test_latest"),
        (["--epoch", "20"], "results/run/test_20"),
        (["--phase", "val", "--results_dir", "out"], "out/run/val_latest"),
        (["--load_iter", "500"], "results/run/test_latest_iter500"),
    ],
)
def test_the_folder_is_named_as_officially(flags: list[str], expected: str) -> None:
    assert result_folder(options(*flags)) == Path(expected)


@pytest.mark.parametrize(
    ("ratio", "size"), [(1, (10, 30)), (2, (20, 30)), (0.5, (10, 60)), (1.5, (15, 30)), (0.75, (10, 40))]
)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_aspect_ratio_stretches_one_side_and_shrinks_none(
    ratio: float, size: tuple[int, int], channels: int
) -> None:
    assert stretched(torch.zeros(1, channels, 30, 10), ratio).shape == (1, channels, size[1], size[0])


def test_the_page_saves_images_with_the_aspect_ratio(tmp_path: Path) -> None:
    page = ResultPage(tmp_path, options("--aspect_ratio", "2"))
    page.add(["a.png"], {"fake": torch.zeros(1, 3, 30, 10)}, [BYTES])
    assert size_of(tmp_path / "images" / "a_fake.png") == (20, 30)


def test_files_of_one_name_do_not_overwrite_each_other_and_are_all_on_the_page(tmp_path: Path) -> None:
    page = ResultPage(tmp_path / "out", options())
    paths = ["x.png", "d/a/x.png", "d/b/x.png", "d/b/x.jpg", "d/c/x.png", "d/b_x.png", "other/d/b/x.png", "d/b/x.tif"]
    paths += ["frame.0001.png", "frame.0002.png"]
    for shade, path in enumerate(paths):
        page.add([path], {"real": torch.full((1, 3, 4, 4), shade / 10), "fake": torch.zeros(1, 3, 4, 4)}, [BYTES])
    index = page.save()
    assert index == tmp_path / "out" / "index.html"
    html = index.read_text()
    images = tmp_path / "out" / "images"
    files = sorted(path.relative_to(images).as_posix() for path in images.rglob("*.png"))
    assert len(files) == 2 * len(paths)
    assert {
        "frame.0001_fake.png",
        "frame.0002_fake.png",
        "x_real.png",
        "d/b/x_fake.png",
        "d/b/x_2_fake.png",
        "other/d/b/x_real.png",
    } <= set(files)
    for name in files:
        assert html.count(f'src="images/{name}"') == 1
    shades = {Image.open(tmp_path / "out" / "images" / name).getpixel((0, 0)) for name in files if "real" in name}
    assert len(shades) == len(paths)


def test_every_image_of_a_batch_has_its_own_file_and_name(tmp_path: Path) -> None:
    page = ResultPage(tmp_path, options())
    batch = torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1).expand(2, 1, 4, 4)
    page.add(["a.png", "b.png"], {"fake": batch}, [BYTES, BYTES])
    assert Image.open(tmp_path / "images" / "a_fake.png").getpixel((0, 0)) == 0
    assert Image.open(tmp_path / "images" / "b_fake.png").getpixel((0, 0)) == 255
    html = page.save().read_text()
    assert "<h2>a</h2>" in html
    assert "<h2>b</h2>" in html
    assert "run" in html


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cannot write to the folder .*file"):
        ResultPage(tmp_path / "file", options())


def test_a_very_long_name_is_cut_and_stays_apart_from_others(tmp_path: Path) -> None:
    page = ResultPage(tmp_path, options())
    for ending in "ab":
        page.add([f"d/{'ü' * 122}{ending}.png"], {"fake_B": torch.zeros(1, 3, 4, 4)}, [BYTES])
    assert len(list((tmp_path / "images" / "d").iterdir())) == 2


def test_a_name_that_is_no_text_is_on_the_page(tmp_path: Path) -> None:
    page = ResultPage(tmp_path, options())
    page.add(["caf\udce9.png"], {"fake": torch.zeros(1, 3, 4, 4)}, [BYTES])
    assert 'src="images/caf%E9_fake.png"' in page.save().read_text()
