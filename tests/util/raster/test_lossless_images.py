"""Every lossless kind of file, in every size: what others wrote is read, and what is written others read."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
from PIL import Image

from tests.util.raster.lossless_files import KINDS, SIZES, flat, holds, levels_of, read_png
from util.raster.deep_png import write_png
from util.raster.kinds import CHANNELS, Color, Header, Layout
from util.raster.reading import read_header, read_raster
from util.raster.writing import write_raster

CASES = [(name, size) for name in KINDS for size in SIZES if holds(name, size)]
IDS = [f"{name} {height}x{width}" for name, (height, width) in CASES]


@pytest.mark.parametrize(("name", "size"), CASES, ids=IDS)
def test_what_others_wrote_is_read_and_written_back_alike(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    kind = KINDS[name]
    path, levels = tmp_path / f"image{kind.suffix}", levels_of(kind, size)
    kind.write(levels, path)

    header, raster = read_header(path), read_raster(path)
    height, width = size
    expected = Header(kind.file_format, width, height, kind.channels, np.dtype(kind.dtype), kind.color)
    assert header[:6] == expected[:6]
    assert header.layout == kind.order or (1 in size and kind.suffix in (".npy", ".npz"))
    assert_same(raster.levels, levels)
    assert raster.color == kind.color
    assert raster.levels.flags.c_contiguous
    assert raster.levels.flags.writeable

    in_memory = read_raster("a member of an archive", path.read_bytes())
    assert_same(in_memory.levels, levels)
    assert in_memory.color == kind.color

    copy = write_raster(
        raster.levels,
        tmp_path / "copy.v2",
        file_format=header.file_format,
        color=raster.color,
        layout=header.layout,
        array_name=header.array_name,
    )
    assert copy.name.startswith("copy.v2.")
    again = read_raster(copy)
    assert_same(again.levels, levels)
    assert again.color == kind.color
    assert read_header(copy)[1:] == (header[1:] if copy.suffix != ".png" else (*header[1:6], "", ""))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([path.name, copy.name])


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "uint32", "float32"])
@pytest.mark.parametrize("color", [*CHANNELS, "channels"])
@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "NPY", "NPZ"])
def test_what_is_written_others_read(file_format: str, color: Color, dtype: str, tmp_path: Path) -> None:
    kind = KINDS["tiff gray"]._replace(channels=CHANNELS.get(color, 7), dtype=dtype)
    levels = levels_of(kind, (9, 11), seed=3)
    path = write_raster(levels, tmp_path / "image", file_format=file_format, color=color)
    assert_same(by_others(path, levels), flat(levels))
    if file_format in ("PNG", "TIFF"):
        in_png = dtype in ("uint8", "uint16") and color not in ("cmyk", "channels")
        assert path.suffix == (".png" if in_png else ".tif")
        assert read_raster(path).color == color
    else:
        assert path.suffix == f".{file_format.lower()}"


@pytest.mark.parametrize(("color", "dtype", "mode"), [("gray", "float32", "F"), ("cmyk", "uint8", "CMYK")])
def test_pillow_reads_a_tiff_where_it_can(color: Color, dtype: str, mode: str, tmp_path: Path) -> None:
    levels = levels_of(KINDS["tiff gray"]._replace(channels=CHANNELS[color], dtype=dtype), (9, 11))
    with Image.open(write_raster(levels, tmp_path / "image", file_format="PNG", color=color)) as image:
        assert image.mode == mode
        assert_same(np.asarray(image), flat(levels))


@pytest.mark.parametrize(
    ("layout", "size", "channels", "shape"),
    [
        ("HW", (9, 11), 3, (9, 11, 3)),
        ("HWC", (9, 11), 1, (9, 11, 1)),
        ("CHW", (9, 11), 1, (1, 9, 11)),
        ("CHW", (9, 11), 3, (3, 9, 11)),
        ("CHW", (9, 5), 5, (9, 5, 5)),  # 5 x 9 x 5 would be read as nine columns of five channels
        ("CHW", (9, 1), 1, (9, 1)),
        ("HWC", (2, 11), 5, (5, 2, 11)),
        ("", (9, 11), 1, (9, 11)),
    ],
)
@pytest.mark.parametrize("file_format", ["NPY", "NPZ"])
def test_an_array_has_the_axes_that_are_wished_where_it_is_read_again_as_it_is_meant(
    file_format: str, layout: Layout, size: tuple[int, int], channels: int, shape: tuple[int, ...], tmp_path: Path
) -> None:
    levels = levels_of(KINDS["npy last"]._replace(channels=channels), size)
    path = write_raster(levels, tmp_path / "image", file_format=file_format, color="channels", layout=layout)
    assert (np.load(path) if file_format == "NPY" else np.load(path)["image"]).shape == shape
    assert_same(read_raster(path).levels, levels)


@pytest.mark.parametrize(
    ("layout", "channels", "shape"), [("HW", 3, (9, 11, 3)), ("CHW", 3, (3, 9, 11)), ("CHW", 1, (9, 11))]
)
def test_a_tiff_has_the_axes_that_are_wished(
    layout: Layout, channels: int, shape: tuple[int, ...], tmp_path: Path
) -> None:
    levels = levels_of(KINDS["tiff float"]._replace(channels=channels), (9, 11))
    path = write_raster(levels, tmp_path / "image", file_format="TIFF", color="channels", layout=layout)
    assert tifffile.imread(path).shape == shape
    assert_same(read_raster(path).levels, levels)


def test_a_png_that_comes_in_bands_is_the_whole_image(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 2**16, (64, 300, 3)).astype(np.uint16)  # too much to wait as a whole
    with (tmp_path / "a.png").open("wb") as file:
        write_png(file, levels.shape, levels.dtype, np.split(levels, 4))
    assert_same(read_raster(tmp_path / "a.png").levels, levels)


@pytest.mark.parametrize("name", ["anything", "file", "allow_pickle", "a/b ü"])
def test_the_array_in_an_npz_keeps_its_name(name: str, tmp_path: Path) -> None:
    levels = levels_of(KINDS["npz"], (9, 11))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive, archive.open(f"{name}.npy", "w") as member:
        np.lib.format.write_array(member, levels)
    header = read_header(tmp_path / "a.npz")
    assert header.array_name == name
    copy = write_raster(levels, tmp_path / "copy", file_format="NPZ", color="channels", array_name=name)
    with np.load(copy) as arrays:
        assert list(arrays) == [name]
        assert_same(arrays[name], levels)


def by_others(path: Path, levels: npt.NDArray[np.generic]) -> Any:
    """Read the file with a program that had no part in writing it, or none but in its container."""
    if path.suffix == ".npy":
        return np.load(path)
    if path.suffix == ".npz":
        return np.load(path)["image"]
    if path.suffix == ".tif":
        return tifffile.imread(path)
    if levels.dtype == np.uint8:
        return np.asarray(Image.open(path))
    return flat(read_png(path))


def assert_same(found: npt.NDArray[np.generic], expected: npt.NDArray[np.generic]) -> None:
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_array_equal(found, expected)
