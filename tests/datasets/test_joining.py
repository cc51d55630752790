"""Which images can be joined and how they come out: any format of 8-bit colours, nothing that would lose by it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.combine_A_and_B import main


def save(path: Path, value: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 6), (value, value, value)).save(path)


def flags(folder: Path) -> list[str]:
    return [f"--fold_{x}={folder / x}" for x in ("A", "B", "AB")]


def deep_images(folder: Path) -> dict[str, Path]:
    """16-bit and float images; Pillow reads most of them as 8-bit without a word."""
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
    return {path.name: path for path in folder.iterdir()}


@pytest.mark.parametrize("name", ["rgb.tif", "planes.tif", "float.tif", "signed.tif", "gray.png", "colour.ppm"])
@pytest.mark.parametrize("side", ["A", "B"])
def test_more_than_8_bits_are_refused_not_cut(tmp_path, capsys, name, side):
    deep = deep_images(tmp_path / "deep")[name]
    other = "B" if side == "A" else "A"
    save(tmp_path / other / "train" / name, 10)
    (tmp_path / side / "train").mkdir(parents=True)
    deep.rename(tmp_path / side / "train" / name)
    assert main(flags(tmp_path)) == 2
    message = capsys.readouterr().err
    assert f"{tmp_path / side / 'train' / name} has more than 8 bits" in message
    assert "trainA and trainB" in message
    assert message.count("\n") == 1
    assert not (tmp_path / "AB").exists()


def other_than_colours(folder: Path) -> None:
    """Arrays, and images of more channels than colours have."""
    folder.mkdir(parents=True)
    tifffile = pytest.importorskip("tifffile")
    levels = np.arange(6 * 8 * 5, dtype=np.uint8).reshape(6, 8, 5)
    np.save(folder / "colours.npy", levels[..., :3])
    np.savez(folder / "colours.npz", levels[..., :3])
    tifffile.imwrite(folder / "five.tif", levels, photometric="minisblack", planarconfig="contig")
    tifffile.imwrite(folder / "pages.tif", np.ascontiguousarray(levels.transpose(2, 0, 1)), photometric="minisblack")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("colours.npy", "is an NPY array"),
        ("colours.npz", "is an NPZ array"),
        ("five.tif", "has 5 channels that are no colours"),
        ("pages.tif", "has 5 channels that are no colours"),
    ],
)
def test_what_an_8_bit_image_cannot_hold_is_refused_by_name(tmp_path, capsys, name, words):
    other_than_colours(tmp_path / "given")
    save(tmp_path / "A/train" / f"{Path(name).stem}.png", 10)
    (tmp_path / "B/train").mkdir(parents=True)
    refused = (tmp_path / "given" / name).rename(tmp_path / "B/train" / name)
    assert main(flags(tmp_path)) == 2
    message = capsys.readouterr().err
    assert f"{refused} {words}" in message
    assert "trainA and trainB" in message
    assert message.count("\n") == 1
    assert not (tmp_path / "AB").exists()


@pytest.mark.parametrize("ending", ["webp", "pgm", "pnm"])
def test_formats_that_are_read_but_not_written_become_png(tmp_path, ending):
    for side, value in (("A", 10), ("B", 200)):
        (tmp_path / side / "train").mkdir(parents=True)
        given = {"lossless": True} if ending == "webp" else {}
        Image.new("L", (8, 6), value).save(tmp_path / side / "train" / f"1.{ending}", **given)
    assert main(flags(tmp_path)) == 0
    assert [path.name for path in (tmp_path / "AB/train").iterdir()] == ["1.png"]
    both = np.asarray(Image.open(tmp_path / "AB/train/1.png"))
    assert (both[:, :8] == 10).all()
    assert (both[:, 8:] == 200).all()


@pytest.mark.parametrize("ending", ["jpg", "png", "tif", "webp"])
def test_a_photo_lies_as_its_exif_says(tmp_path, ending):
    lying = Image.new("RGB", (6, 8), (10, 0, 0))
    lying.paste((240, 0, 0), (0, 0, 6, 4))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees: what is on top comes to the right
    (tmp_path / "A/train").mkdir(parents=True)
    lying.save(tmp_path / f"A/train/1.{ending}", exif=exif, quality=100)
    save(tmp_path / "B/train/1.bmp", 100)
    assert main(flags(tmp_path)) == 0
    both = np.asarray(Image.open(tmp_path / "AB/train/1.png"))[..., 0].astype(int)
    assert both.shape == (6, 16)
    assert (both[:, :3] < 60).all()
    assert (both[:, 5:8] > 190).all()
    assert (both[:, 8:] == 100).all()


def test_transparency_becomes_white(tmp_path):
    image = Image.new("RGBA", (8, 6), (9, 9, 9, 0))
    (tmp_path / "A/train").mkdir(parents=True)
    image.save(tmp_path / "A/train/1.png")
    save(tmp_path / "B/train/1.png", 100)
    assert main(flags(tmp_path)) == 0
    assert (np.asarray(Image.open(tmp_path / "AB/train/1.png"))[:, :8] == 255).all()


@pytest.mark.parametrize(("mode", "key"), [("RGB", (9, 8, 7)), ("L", 9)])
def test_a_colour_that_stands_for_transparent_becomes_white(tmp_path, mode, key):
    image = Image.new(mode, (8, 6), key)
    image.paste(0, (0, 0, 8, 3))
    (tmp_path / "A/train").mkdir(parents=True)
    image.save(tmp_path / "A/train/1.png", transparency=key)
    save(tmp_path / "B/train/1.png", 100)
    assert main(flags(tmp_path)) == 0
    left = np.asarray(Image.open(tmp_path / "AB/train/1.png"))[:, :8]
    assert (left[:3] == 0).all()
    assert (left[3:] == 255).all()
