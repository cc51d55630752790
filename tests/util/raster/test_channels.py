"""From any number of colour channels to any other: bytes as Pillow converts them, deeper ones by the same weights."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from options.errors import UserError
from tests.images import an_image
from tests.util.raster.lossless_files import KINDS, levels_of
from util.raster.channels import with_channels
from util.raster.kinds import CHANNELS, Color, Raster
from util.raster.reading import read_raster

MODES: dict[Color, str] = {"gray": "L", "gray+alpha": "LA", "rgb": "RGB", "rgba": "RGBA", "cmyk": "CMYK"}
WANTED = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
DEEP = ["uint16", "int16", "int32", "uint32", "float32"]


def raster(color: Color, dtype: str, channels: int = 5) -> Raster:
    kind = KINDS["tiff gray"]._replace(channels=CHANNELS.get(color, channels), dtype=dtype)
    return Raster(levels_of(kind, (37, 41)), color)


@pytest.mark.parametrize("channels", WANTED)
@pytest.mark.parametrize("color", MODES)
def test_bytes_become_what_pillow_makes_of_them(color: Color, channels: int) -> None:
    levels = raster(color, "uint8").levels
    image = Image.frombytes(MODES[color], (41, 37), levels.tobytes())
    unchanged = CHANNELS[color] == channels
    expected = np.asarray(image if unchanged else image.convert(WANTED[channels])).reshape(37, 41, channels)
    found = with_channels(Raster(levels, color), channels, "a.png")
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("color", MODES)
def test_half_an_image_is_converted_like_a_whole_one(color: Color) -> None:
    whole = raster(color, "uint8")
    half = Raster(whole.levels[:, 20:], color)
    assert not half.levels.flags.c_contiguous
    for channels in WANTED:
        np.testing.assert_array_equal(with_channels(half, channels, ""), with_channels(whole, channels, "")[:, 20:])


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_gray_of_a_file_equals_that_of_pillow(suffix: str, tmp_path: Path) -> None:
    an_image(3).save(tmp_path / f"a{suffix}")
    found = with_channels(read_raster(tmp_path / f"a{suffix}"), 1, "a")
    np.testing.assert_array_equal(found[:, :, 0], np.asarray(Image.open(tmp_path / f"a{suffix}").convert("L")))


@pytest.mark.parametrize("dtype", DEEP)
@pytest.mark.parametrize("channels", WANTED)
@pytest.mark.parametrize("color", ["gray", "gray+alpha", "rgb", "rgba"])
def test_deeper_levels_keep_their_depth(color: Color, channels: int, dtype: str) -> None:
    levels = raster(color, dtype).levels
    found = with_channels(Raster(levels, color), channels, "a.tif")
    assert (found.dtype, found.shape) == (np.dtype(dtype), (37, 41, channels))
    if CHANNELS[color] == channels:
        assert found is levels
        return
    shown = levels[:, :, :1] if color.startswith("gray") else levels[:, :, :3]
    if channels in (2, 4):
        top = 1 if dtype == "float32" else np.iinfo(dtype).max
        alpha = levels[:, :, -1] if color.endswith("a") else np.full((37, 41), top, dtype)
        np.testing.assert_array_equal(found[:, :, -1], alpha)
    if channels > 2 or color.startswith("gray"):
        np.testing.assert_array_equal(found[:, :, : 1 if channels < 3 else 3] - shown, 0)
    else:
        luma = shown.astype(np.float64) @ [0.299, 0.587, 0.114]
        error = np.abs(found[:, :, 0] - luma)
        assert error.max() <= (1e-5 if dtype == "float32" else 0.5 + 1e-6)


def test_gray_of_gray_colours_is_the_same_number() -> None:
    levels = np.repeat(np.arange(65536, dtype=np.uint16).reshape(256, 256, 1), 3, axis=2)
    np.testing.assert_array_equal(with_channels(Raster(levels, "rgb"), 1, ""), levels[:, :, :1])


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_deep_ink_becomes_light_as_that_of_bytes(channels: int) -> None:
    ink = raster("cmyk", "uint8").levels
    expected = with_channels(Raster(ink, "cmyk"), channels, "")
    for deep, top in ((ink.astype(np.uint16) * 257, 65535), (ink.astype(np.float32) / np.float32(255), 1)):
        found = with_channels(Raster(deep, "cmyk"), channels, "").astype(np.float64) / top * 255
        assert np.abs(found - expected).max() <= 1.01


@pytest.mark.parametrize("dtype", ["uint8", *DEEP])
def test_ink_and_what_is_no_colour_stay_where_as_many_channels_are_wanted(dtype: str) -> None:
    ink, five = raster("cmyk", dtype), raster("channels", dtype)
    assert with_channels(ink, 4, "") is ink.levels
    assert with_channels(five, 5, "a.npy") is five.levels


@pytest.mark.parametrize(
    ("color", "have", "wanted", "text"),
    [
        ("channels", 5, 3, "has 5 channels, but 3 are wanted; pass --input_nc 5 or --output_nc 5"),
        ("channels", 3, 1, "has 3 channels, but 1 is wanted; pass --input_nc 3 or --output_nc 3"),
        ("gray", 1, 5, "has 1 channel, but 5 are wanted; pass --input_nc 1 or --output_nc 1"),
        ("rgb", 3, 13, "has 3 channels, but 13 are wanted; pass --input_nc 3"),
    ],
)
def test_channels_that_are_no_colours_are_not_converted(color: Color, have: int, wanted: int, text: str) -> None:
    with pytest.raises(UserError, match=f"the image some.tif {text}"):
        with_channels(raster(color, "uint8", have), wanted, "some.tif")


@pytest.mark.parametrize("shape", [(48, 48, 100), (48, 100, 48)])
def test_of_an_array_the_shape_that_was_found_is_told_and_how_to_name_its_axes(
    shape: tuple[int, ...], tmp_path: Path
) -> None:
    path = tmp_path / "cube.npy"
    np.save(path, np.zeros(shape, np.uint16))
    with pytest.raises(UserError) as error:
        with_channels(read_raster(path), 100, path)
    text = str(error.value)
    assert f"the array {path} is read as 48 x 100 x 48 (height x width x channels, for which the shorter of" in text
    assert "but 100 are wanted; if that is right, pass --input_nc 48 or --output_nc 48" in text
    assert "if not, save it as a TIFF that names its axes (tifffile.imwrite with metadata={'axes': 'YXC'}" in text


@pytest.mark.parametrize("axes", ["YXC", "CYX"])
def test_a_tiff_that_names_its_axes_may_have_more_channels_than_rows(axes: str, tmp_path: Path) -> None:
    cube = np.random.default_rng(0).integers(0, 65536, (48, 40, 100), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", cube if axes == "YXC" else cube.transpose(2, 0, 1), metadata={"axes": axes})
    np.testing.assert_array_equal(with_channels(read_raster(tmp_path / "a.tif"), 100, ""), cube)
