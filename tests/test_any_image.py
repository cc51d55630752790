"""From the file to the result with ``test.py``: what comes out of a network that changes nothing is what went in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image, ImageOps

from networks.factory import build_generator
from options.cli import parse_test
from tests.any_files import Array, load, values
from tests.conftest import RunCli
from tests.images import an_image, write
from util.raster.reading import read_raster

Same = Callable[..., Path]

SIZES = [(1, 1), (7, 5), (40, 36), (3, 70)]  # width, height


class Unchanged(torch.nn.Module):
    """A generator with weights that it does not use."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__()
        self.inner = build_generator(*args, **settings)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x

    def load_state_dict(self, *args: Any, **settings: Any) -> Any:
        return self.inner.load_state_dict(*args, **settings)

    def state_dict(self, *args: Any, **settings: Any) -> Any:
        return self.inner.state_dict(*args, **settings)


def save(array: Array, path: Path) -> None:
    flat = array[:, :, 0] if array.shape[2] == 1 else array
    settings: dict[str, Any] = {}
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, image=array)
    elif path.suffix == ".tif" and (array.dtype != np.uint8 or array.shape[2] > 4):
        settings = {} if flat.ndim == 2 else {"planarconfig": "contig"}
        tifffile.imwrite(path, flat, photometric="rgb" if array.shape[2] in (3, 4) else "minisblack", **settings)
    else:
        settings = {"lossless": True, "exact": True} if path.suffix == ".webp" else {}
        Image.fromarray(flat).save(path, **settings)


CASES = [  # ending of the input, channels, type, ending of the result
    *((ending, channels, np.uint8, ".png") for ending in (".png", ".tif", ".webp") for channels in (3, 4)),
    (".png", 1, np.uint8, ".png"),
    (".png", 2, np.uint8, ".png"),
    (".bmp", 3, np.uint8, ".png"),
    (".ppm", 3, np.uint8, ".png"),
    (".png", 1, np.uint16, ".png"),
    (".tif", 1, np.uint16, ".png"),
    (".tif", 5, np.uint16, ".tif"),
    (".tif", 7, np.uint8, ".tif"),
    *((".tif", channels, np.float32, ".tif") for channels in (1, 3, 6)),
    *((ending, channels, dtype, ending) for ending in (".npy", ".npz") for channels in (1, 3, 5)
      for dtype in (np.uint8, np.uint16, np.int16, np.float32)),
]  # fmt: skip


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """The folder of what is translated."""
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


@pytest.fixture
def same(run_cli: RunCli, inputs: Path, monkeypatch: pytest.MonkeyPatch) -> Same:
    """Translate the inputs with a generator that returns them; give the folder of the results."""
    monkeypatch.setattr("models.single_side_model.build_generator", Unchanged)
    run = inputs.parent / "checkpoints" / "same"
    run.mkdir(parents=True)

    def test(channels: int, *flags: object) -> Path:
        words = ["--netG", "resnet_1blocks", "--ngf", "4", "--input_nc", str(channels), "--output_nc", str(channels)]
        net = parse_test(["--dataroot", "x", *words]).net
        torch.save(build_generator(net, channels, channels).state_dict(), run / "latest_net_G.pth")
        done = run_cli("test", ["--name", "same", "--dataroot", inputs, "--preprocess", "keep", *flags])
        assert done.code == 0, done.stderr
        return inputs.parent / "results" / "same" / "test_latest" / "images"

    return test


@pytest.mark.parametrize(("ending", "channels", "dtype", "result"), CASES, ids=lambda v: getattr(v, "__name__", str(v)))
def test_integers_come_back_unchanged_and_floats_nearly(
    ending: str, channels: int, dtype: Any, result: str, same: Same, inputs: Path
) -> None:
    arrays = {f"{w}x{h}": values((w, h), channels, dtype) for w, h in SIZES if ending[:3] != ".np" or w > channels}
    for name, array in arrays.items():
        save(array, inputs / f"{name}{ending}")
    images = same(channels)
    for name, array in arrays.items():
        got = load(images / f"{name}_fake{result}")
        assert got.dtype == array.dtype
        if array.dtype.kind == "f":
            np.testing.assert_allclose(got, array, atol=1e-7)
        else:
            np.testing.assert_array_equal(got, array)


def test_a_range_of_ones_own_comes_back(same: Same, inputs: Path) -> None:
    array = np.random.RandomState(0).randint(-1024, 3072, (9, 8, 1)).astype(np.int16)
    tifffile.imwrite(inputs / "ct.tif", array[:, :, 0])
    images = same(1, "--value_range", "-1024,3071")
    np.testing.assert_array_equal(tifffile.imread(images / "ct_fake.tif"), array[:, :, 0])
    assert Image.open(images / "ct_fake.png").mode == "L"  # to look at
    assert 'src="images/ct_fake.png"' in (images.parent / "index.html").read_text()


def test_cmyk_palettes_and_1_bit_come_back_as_what_they_show(same: Same, inputs: Path) -> None:
    rgb = an_image(0)
    for name, image in {
        "cmyk.jpg": rgb.convert("CMYK"),
        "palette.png": rgb.quantize(16),
        "1.png": rgb.convert("1"),
    }.items():
        write(image, inputs / name)
    images = same(3)
    for name in ("cmyk.jpg", "palette.png", "1.png"):
        got = load(images / f"{Path(name).stem}_fake.png")
        np.testing.assert_array_equal(got, np.array(Image.open(inputs / name).convert("RGB")))


def test_four_channels_of_cmyk_stay_cmyk(same: Same, inputs: Path) -> None:
    image = an_image(0).convert("CMYK")
    write(image, inputs / "c.tif")
    images = same(4)
    got = Image.open(images / "c_fake.tif")
    assert got.mode == "CMYK"
    np.testing.assert_array_equal(np.array(got), np.array(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_upright(orientation: int, same: Same, inputs: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    an_image(0).save(inputs / "x.jpg", exif=exif)
    images = same(3)
    expected = np.array(ImageOps.exif_transpose(Image.open(inputs / "x.jpg")))
    np.testing.assert_array_equal(load(images / "x_fake.png"), expected)


def test_sub_folders_and_endings_keep_results_apart(same: Same, inputs: Path) -> None:
    for shade, name in enumerate(["x.png", "a/x.png", "a/b/x.PNG", "ü/x.bmp", "a/x.bmp"]):
        write(Image.new("RGB", (5, 4), (shade, shade, shade)), inputs / name)
    images = same(3)
    shades = {path.relative_to(images).as_posix(): int(load(path)[0, 0, 0]) for path in images.rglob("*_fake.png")}
    assert sorted(shades.values()) == [0, 1, 2, 3, 4]
    assert {name: shades[name] for name in ("x_fake.png", "a/b/x_fake.png", "ü/x_fake.png")} == {
        "x_fake.png": 0,
        "a/b/x_fake.png": 2,
        "ü/x_fake.png": 3,
    }


@pytest.mark.parametrize(
    ("flags", "dtype", "ending"),
    [
        ([], np.uint8, "png"),
        (["--value_range_B", "0,10"], np.float32, "tif"),
        (["--value_range_B", "0,65535"], np.uint16, "png"),
        (["--value_range_B", "0,255"], np.uint8, "png"),
    ],
)
def test_without_a_partner_the_range_of_the_results_decides_how_deep_they_are(
    flags: list[str], dtype: type, ending: str, same: Same, inputs: Path
) -> None:
    image = an_image(0)
    write(image, inputs / "x.png")
    images = same(3, *flags)
    made = images / f"x_fake.{ending}"
    high = float(flags[1].split(",")[1]) if flags else 255.0
    if dtype is not np.uint16:  # Pillow shows 8 of 16 bits
        np.testing.assert_allclose(load(made), np.array(image) / 255 * high, rtol=1e-5, atol=1e-5)
        assert load(made).dtype == dtype
    else:
        np.testing.assert_array_equal(read_raster(made).levels, np.array(image).astype(np.uint16) * 257)


def test_the_page_shows_what_a_browser_would_show_too_dark(same: Same, inputs: Path) -> None:
    array = np.random.RandomState(0).randint(0, 4096, (8, 9)).astype(np.uint16)
    Image.fromarray(array).save(inputs / "x.png")
    images = same(1, "--value_range", "0,4095")
    np.testing.assert_array_equal(np.array(Image.open(images / "x_fake.png")), array)
    assert 'src="images/x_fake_shown.png"' in (images.parent / "index.html").read_text()
    shown = np.array(Image.open(images / "x_fake_shown.png"))
    np.testing.assert_allclose(shown, array / 4095 * 255, atol=0.51)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_arrays_keep_the_order_of_their_axes(channels: int, dtype: Any, same: Same, inputs: Path) -> None:
    pixels = values((45, 37), channels, dtype)
    arrays = {"first": np.ascontiguousarray(pixels.transpose(2, 0, 1)), "last": pixels}
    if channels == 1:
        arrays["flat"] = pixels[:, :, 0]
    for name, array in arrays.items():
        np.save(inputs / f"{name}.npy", array)
        np.savez(inputs / f"{name}_z.npz", spectrum=array)
    images = same(channels)
    for name, array in arrays.items():
        with np.load(images / f"{name}_z_fake.npz") as packed:
            assert list(packed) == ["spectrum"]
            found = [np.load(images / f"{name}_fake.npy"), packed["spectrum"]]
        for got in found:
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, array, strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_planes_and_pages_of_a_tiff_stay_in_front(dtype: Any, same: Same, inputs: Path) -> None:
    pixels = values((45, 37), 5, dtype)
    planes = np.ascontiguousarray(pixels.transpose(2, 0, 1))
    arrays = {"planes": planes, "pages": planes, "pixels": pixels}
    configs: dict[str, dict[str, Any]] = {"planes": {"planarconfig": "separate"}, "pixels": {"planarconfig": "contig"}}
    for name, array in arrays.items():
        path = inputs / f"{name}.tif"
        tifffile.imwrite(path, array, photometric="minisblack", metadata=None, **configs.get(name, {}))
    images = same(5)
    for name, array in arrays.items():
        got = tifffile.imread(images / f"{name}_fake.tif")
        np.testing.assert_array_equal(got, array, strict=True)
