"""Which images can be joined and how they come out: any format of 8-bit colours, nothing that would lose by it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from datasets.combine_A_and_B import main
from tests.datasets.conftest import Refusal, folds
from tests.images import flat

REFUSED = {
    **dict.fromkeys(("rgb.tif", "planes.tif", "float.tif", "signed.tif", "gray.png", "colour.ppm"), "more than 8 bits"),
    "colours.npy": "is an NPY array",
    "colours.npz": "is an NPZ array",
    "five.tif": "has 5 channels that are no colours",
    "pages.tif": "has 5 channels that are no colours",
}


def write_refused(folder: Path) -> None:
    """16-bit and float images, of which Pillow reads most as 8-bit without a word; arrays; images of more channels."""
    folder.mkdir(parents=True)
    tifffile = pytest.importorskip("tifffile")
    colour = np.arange(6 * 8 * 3, dtype=np.uint16).reshape(6, 8, 3) * 300
    tifffile.imwrite(folder / "rgb.tif", colour, photometric="rgb")
    planes = np.ascontiguousarray(colour.transpose(2, 0, 1))
    tifffile.imwrite(folder / "planes.tif", planes, photometric="rgb", planarconfig="separate")
    tifffile.imwrite(folder / "float.tif", colour[..., 0].astype(np.float32))
    tifffile.imwrite(folder / "signed.tif", (colour[..., 0] % 100).astype(np.int8))
    Image.fromarray(colour[..., 0]).save(folder / "gray.png")
    (folder / "colour.ppm").write_bytes(b"P6 8 6 65535\n" + colour.astype(">u2").tobytes())
    levels = np.arange(6 * 8 * 5, dtype=np.uint8).reshape(6, 8, 5)
    np.save(folder / "colours.npy", levels[..., :3])
    np.savez(folder / "colours.npz", levels[..., :3])
    tifffile.imwrite(folder / "five.tif", levels, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite(folder / "pages.tif", np.ascontiguousarray(levels.transpose(2, 0, 1)), photometric="minisblack")


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize(("side", "other"), ["AB", "BA"])
def test_what_an_8_bit_image_cannot_hold_is_refused_by_name(
    tmp_path: Path, refusal: Refusal, name: str, side: str, other: str
) -> None:
    write_refused(tmp_path / "given")
    flat(tmp_path / other / "train" / f"{Path(name).stem}.png", 10)
    (tmp_path / side / "train").mkdir(parents=True)
    refused = (tmp_path / "given" / name).rename(tmp_path / side / "train" / name)
    message = refusal(main(folds(tmp_path)))
    assert f"{refused} " in message
    assert REFUSED[name] in message
    assert "trainA and trainB" in message
    assert not (tmp_path / "AB").exists()


@pytest.mark.parametrize("ending", ["webp", "pgm", "pnm"])
def test_formats_that_are_read_but_not_written_become_png(tmp_path: Path, ending: str) -> None:
    for side, value in (("A", 10), ("B", 200)):
        (tmp_path / side / "train").mkdir(parents=True)
        given: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
        Image.new("L", (8, 6), value).save(tmp_path / side / "train" / f"1.{ending}", **given)
    assert main(folds(tmp_path)) == 0
    assert [path.name for path in (tmp_path / "AB/train").iterdir()] == ["1.png"]
    both = np.asarray(Image.open(tmp_path / "AB/train/1.png"))
    assert (both[:, :8] == 10).all()
    assert (both[:, 8:] == 200).all()


def joined(root: Path, image: Image.Image, ending: str = "png", **settings: Any) -> np.ndarray:
    """Save an image and join it with a gray one."""
    (root / "A/train").mkdir(parents=True)
    image.save(root / f"A/train/1.{ending}", **settings)
    flat(root / "B/train/1.bmp", 100)
    assert main(folds(root)) == 0
    return np.asarray(Image.open(root / "AB/train/1.png"))


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_a_photo_lies_as_its_exif_says(tmp_path: Path, ending: str) -> None:
    lying = Image.new("RGB", (6, 8), (10, 0, 0))
    lying.paste((240, 0, 0), (0, 0, 6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees: what is on top comes to the right
    both = joined(tmp_path, lying, ending, exif=exif, quality=100)[..., 0]
    assert both.shape == (6, 16)
    assert (both[:, :3] < 60).all()
    assert (both[:, 5:8] > 190).all()
    assert (both[:, 8:] == 100).all()


@pytest.mark.parametrize(
    ("mode", "ground", "key"), [("RGBA", (9, 9, 9, 0), None), ("RGB", (9, 8, 7), (9, 8, 7)), ("L", 9, 9)]
)
def test_what_is_transparent_becomes_white(tmp_path: Path, mode: str, ground: Any, key: Any) -> None:
    image = Image.new(mode, (8, 6), ground)
    image.paste((0, 0, 0, 255) if mode == "RGBA" else 0, (0, 0, 8, 3))
    left = joined(tmp_path, image, **({} if key is None else {"transparency": key}))[:, :8]
    assert (left[:3] == 0).all()
    assert (left[3:] == 255).all()


def test_no_image_is_replaced_or_written_twice(tmp_path: Path, refusal: Refusal) -> None:
    for side in "AB":
        flat(tmp_path / side / "train" / "1.png", 10)
    (tmp_path / "AB").mkdir()
    (tmp_path / "AB" / "train").symlink_to(tmp_path / "A" / "train")
    assert "1.png would replace one of the images to be joined" in refusal(main(folds(tmp_path)))
    (tmp_path / "AB" / "train").unlink()
    for side in "AB":
        flat(tmp_path / side / "train" / "1.webp", 10)
    message = refusal(main(folds(tmp_path)))
    assert f"{tmp_path / 'A/train/1.png'} and {tmp_path / 'A/train/1.webp'} would both become" in message


def test_what_cannot_be_written_is_named_and_leaves_nothing(tmp_path: Path, refusal: Refusal) -> None:
    for side in "AB":
        flat(tmp_path / side / "train" / "1.png", 10)
    (tmp_path / "AB" / "train" / "1.png").mkdir(parents=True)
    message = refusal(main(folds(tmp_path, "--no_multiprocessing")))
    assert f"cannot write {tmp_path / 'AB/train/1.png'} (Is a directory)" in message
    assert [path.name for path in (tmp_path / "AB" / "train").iterdir()] == ["1.png"]
