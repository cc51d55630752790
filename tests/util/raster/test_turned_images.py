"""Images that say that they lie on their side, wherever they say it."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from tests.images import an_image
from tests.util.raster.checked_reading import read, same, saved
from tests.util.raster.lossless_files import KINDS, levels_of, png

IMAGE = an_image(2)  # 40 x 36


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("suffix", "mode"), [(".jpg", "RGB"), (".jpg", "L"), (".png", "RGB"), (".webp", "RGBA")])
def test_an_image_is_upright(suffix: str, mode: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "a camera", orientation
    path = saved(IMAGE.convert(mode), tmp_path / f"turned{suffix}", exif=exif.tobytes())
    assert same(read(path), ImageOps.exif_transpose(Image.open(path)))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["tiff gray", "tiff gray 16", "tiff rgb 16", "tiff float", "tiff 13 words"])
def test_a_tiff_is_upright(name: str, orientation: int, tmp_path: Path) -> None:
    levels = levels_of(KINDS[name], (7, 5))
    kind: dict[str, Any] = {"photometric": "rgb" if "rgb" in name else "minisblack"}
    kind |= {"planarconfig": "contig"} if levels.shape[2] > 1 else {}
    path, tags = tmp_path / "turned.tif", [(0x0112, "H", 1, orientation, True)]
    tifffile.imwrite(path, levels.squeeze(), extratags=tags, metadata=None, **kind)
    np.testing.assert_array_equal(read(path), turned_by_pillow(levels, orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["png rgb 16", "png gray+alpha 16"])
def test_a_deep_png_is_upright_even_when_it_says_so_behind_the_pixels(
    name: str, orientation: int, tmp_path: Path
) -> None:
    levels, path = levels_of(KINDS[name], (7, 5)), tmp_path / "turned.png"
    png(levels, path)
    exif = Image.Exif()
    exif[0x0112] = orientation
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = len(block).to_bytes(4, "big") + b"eXIf" + block
    data = path.read_bytes()
    path.write_bytes(data[:-12] + chunk + zlib.crc32(b"eXIf" + block).to_bytes(4, "big") + data[-12:])
    np.testing.assert_array_equal(read(path), turned_by_pillow(levels, orientation))


def test_the_orientation_may_stand_in_xmp(tmp_path: Path) -> None:
    xmp = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
    path = saved(IMAGE, tmp_path / "turned.jpg", xmp=xmp)
    assert read(path).shape == (40, 36, 3)
    assert same(read(path), ImageOps.exif_transpose(Image.open(path)))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")  # from Pillow, which saves it
@pytest.mark.parametrize("rest", [b"\xff\xff\xff\xff", b"\x08\0\0\0\0\0\0\0\0\0"])
def test_a_damaged_exif_block_and_one_without_orientation_turn_nothing(rest: bytes, tmp_path: Path) -> None:
    path = saved(IMAGE, tmp_path / "a.jpg", exif=b"Exif\0\0II*\0" + rest)
    assert same(read(path), Image.open(path))


@pytest.mark.parametrize(("damage", "shape"), [("", (40, 36, 3)), ("no digits", (36, 40, 3))])
def test_a_png_may_spell_the_orientation_in_text(damage: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    exif, text = Image.Exif(), PngInfo()
    exif[0x0112] = 6
    text.add_text("Raw profile type exif", f"\nexif\n{len(exif.tobytes()):8}\n{exif.tobytes().hex()}{damage}\n")
    assert read(saved(IMAGE, tmp_path / "a.png", pnginfo=text)).shape == shape


def turned_by_pillow(levels: npt.NDArray[np.generic], orientation: int) -> npt.NDArray[np.generic]:
    """Turn numbers as Pillow turns an image: by turning their places."""
    height, width, channels = levels.shape
    places = Image.fromarray(np.arange(height * width, dtype=np.int32).reshape(height, width))
    places.getexif()[0x0112] = orientation
    turned: npt.NDArray[np.generic] = levels.reshape(-1, channels)[np.asarray(ImageOps.exif_transpose(places))]
    return turned
