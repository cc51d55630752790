"""What is special about some files: lossy, with a palette, animated, in pages, of rare types, under a wrong name."""

import logging
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from options.errors import UserError
from tests.conftest import PROJECT
from tests.images import an_image
from tests.util.raster.checked_reading import read, same, saved
from tests.util.raster.lossless_files import KINDS, levels_of
from util.raster.reading import read_header, read_raster

IMAGE = an_image(1)  # 40 x 36


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_a_jpeg_is_what_pillow_decodes(mode: str, options: dict[str, object], tmp_path: Path) -> None:
    path = saved(IMAGE.convert(mode), tmp_path / "a.jpg", quality=80, **options)
    assert same(read(path), Image.open(path))
    assert read_raster(path).color == {"L": "gray", "RGB": "rgb", "CMYK": "cmyk"}[mode]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".gif"])
def test_a_palette_becomes_colours(suffix: str, tmp_path: Path) -> None:
    palette = IMAGE.convert("P", palette=Image.Palette.ADAPTIVE, colors=7)
    path = saved(palette, tmp_path / f"palette{suffix}")
    assert same(read(path), palette.convert("RGB"))


@pytest.mark.parametrize("transparency", [3, bytes([0, 128, 255])])
def test_a_palette_with_transparency_has_alpha(transparency: object, tmp_path: Path) -> None:
    path = saved(IMAGE.quantize(7), tmp_path / "palette.png", transparency=transparency)
    assert same(read(path), Image.open(path).convert("RGBA"))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".ppm"])
def test_one_bit_becomes_black_and_white(suffix: str, tmp_path: Path) -> None:
    bits = IMAGE.convert("1")
    levels = read(saved(bits, tmp_path / f"bits{suffix}"))
    assert same(levels, bits.convert("L"))
    assert set(np.unique(levels)) == {0, 255}


def test_lab_and_ycbcr_become_rgb(tmp_path: Path) -> None:
    smooth = Image.linear_gradient("L")
    image = Image.merge("RGB", [smooth, smooth.rotate(90), smooth.rotate(180)])
    lab = ImageCms.profileToProfile(
        image, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    difference = read(saved(lab, tmp_path / "lab.tif")).astype(int) - np.asarray(image)
    assert np.abs(difference).mean() < 2
    ycbcr = image.convert("YCbCr")
    path = saved(ycbcr, tmp_path / "ycbcr.tif")
    with Image.open(path) as opened:
        knows = opened.mode == "YCbCr"  # Pillow before 13 takes it for RGB
    if knows:
        assert same(read(path), ycbcr.convert("RGB"))
    else:
        with pytest.raises(UserError, match="its colours are YCbCr of a kind that is not read"):
            read(path)


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_of_an_animation_it_is_the_first_frame(suffix: str, tmp_path: Path) -> None:
    frames = [Image.new("RGB", (9, 7), color) for color in ("red", "green", "blue")]
    options = {"lossless": True} if suffix == ".webp" else {}
    path = saved(frames[0], tmp_path / f"moving{suffix}", save_all=True, append_images=frames[1:], **options)
    assert same(read(path), frames[0])


def test_pages_and_samples_become_channels_with_the_samples_together(tmp_path: Path) -> None:
    pages = np.random.default_rng(0).integers(0, 65536, (4, 9, 7, 3), np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="rgb")
    levels = read(tmp_path / "a.tif")
    np.testing.assert_array_equal(levels.reshape(9, 7, 4, 3), pages.transpose(1, 2, 0, 3))


def test_a_smaller_second_page_is_no_channel(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 65536, (9, 7, 3), np.uint16)
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        tiff.write(image, photometric="rgb")
        tiff.write(image[::2, ::2], photometric="rgb")
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), image)


@pytest.mark.parametrize("channels", [2, 5])
def test_an_array_that_was_saved_without_a_word_about_its_axes(channels: int, tmp_path: Path) -> None:
    levels = levels_of(KINDS["tiff gray 16"]._replace(channels=channels), (12, 10))
    tifffile.imwrite(tmp_path / "last.tif", levels)
    tifffile.imwrite(tmp_path / "first.tif", np.moveaxis(levels, 2, 0).copy())
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(read(path), levels)


def test_of_one_page_that_stands_for_many_all_are_read(tmp_path: Path) -> None:
    pages = np.random.default_rng(0).integers(0, 256, (4, 9, 7), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", pages, photometric="minisblack", truncate=True)
    np.testing.assert_array_equal(read(tmp_path / "a.tif"), pages.transpose(1, 2, 0))


@pytest.mark.parametrize(("dtype", "kept"), [("float64", "float32"), ("float16", "float32"), ("int8", "int16")])
@pytest.mark.parametrize("suffix", [".npy", ".tif"])
def test_rare_types_become_near_ones(dtype: str, kept: str, suffix: str, tmp_path: Path) -> None:
    values = np.random.default_rng(0).integers(-100, 100, (6, 5)).astype(dtype)
    path = tmp_path / f"a{suffix}"
    np.save(path, values) if suffix == ".npy" else tifffile.imwrite(path, values)
    levels = read(path)
    assert levels.dtype == kept
    np.testing.assert_array_equal(levels[:, :, 0], values.astype(kept))


def test_false_and_true_become_0_and_255(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.eye(3, dtype=bool))
    np.testing.assert_array_equal(read(tmp_path / "a.npy")[:, :, 0], np.eye(3, dtype=np.uint8) * 255)


def test_levels_of_a_ppm_are_scaled_to_the_whole_range_as_pillow_does(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 1001, (6, 5), np.uint16)
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 5 6 1000\n" + levels.astype(">u2").tobytes())
    np.testing.assert_array_equal(read(path)[:, :, 0], np.asarray(Image.open(path)))


@pytest.mark.parametrize(("largest", "top"), [(1, 255), (100, 255), (1023, 65535)])
def test_a_text_pgm_is_scaled_alike(largest: int, top: int, tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_text(f"P2 2 1 {largest}\n0 {largest}\n")
    levels = read(tmp_path / "a.pgm")
    assert levels.dtype == (np.uint8 if top == 255 else np.uint16)
    assert levels.flatten().tolist() == [0, top]


@pytest.mark.parametrize("name", ["png rgb", "tiff rgb 16", "npy", "npz", "webp rgb"])
def test_the_content_counts_not_the_name(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    levels = levels_of(kind, (9, 8))
    kind.write(levels, tmp_path / f"right{kind.suffix}")
    wrong = (tmp_path / f"right{kind.suffix}").rename(tmp_path / "wrong.jpg")
    np.testing.assert_array_equal(read(wrong), levels)
    assert read_header(wrong).file_format == kind.file_format


def test_nothing_is_printed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    """Tags that nobody knows, wrong counts and cut ends make libtiff, Pillow and tifffile talk."""
    saved(IMAGE, tmp_path / "a.tif", compression="tiff_lzw", tiffinfo={65001: "odd", 700: b"x"})
    KINDS["tiff rgb 16"].write(levels_of(KINDS["tiff rgb 16"], (9, 8)), tmp_path / "b.tif")
    (tmp_path / "cut deep.tif").write_bytes((tmp_path / "b.tif").read_bytes()[:-40])
    Image.new("1", (13_000, 10_000)).save(tmp_path / "large.png")  # Pillow warns of its size
    for path in sorted(tmp_path.iterdir()):
        try:
            read_header(path)
            if "large" not in path.name:
                read_raster(path)
        except UserError:
            assert "cut" in path.name
    assert capfd.readouterr() == ("", "")
    assert list(recwarn) == []


def test_reading_in_many_threads_leaves_warnings_and_loggers_as_they_were(tmp_path: Path) -> None:
    paths = [saved(an_image(seed), tmp_path / f"{seed}.tif") for seed in range(20)] * 10
    before = list(warnings.filters), [logging.getLogger(name).level for name in ("PIL", "tifffile")]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(read_header, paths))
        list(pool.map(read_raster, paths))
    assert (list(warnings.filters), [logging.getLogger(name).level for name in ("PIL", "tifffile")]) == before


def test_plain_images_need_neither_torch_nor_tifffile(tmp_path: Path) -> None:
    path = saved(IMAGE, tmp_path / "a.jpg")
    code = (
        "import sys; from util.raster import channels, writing; from util.raster.reading import read_raster\n"
        f"read_raster({str(path)!r}); print({{'torch', 'tifffile', 'imagecodecs', 'torchvision'}} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"
