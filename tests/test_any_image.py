"""From the file to the result with ``test.py``: what comes out of a network that changes nothing is what went in."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from networks.factory import build_generator
from tests.conftest import RunCli
from tests.images import an_image, write

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


def values(size: tuple[int, int], channels: int, dtype: Any) -> np.ndarray:
    """Random values over the whole range of a type, H x W x C; floats from 0 to 1 that integers of 16 bits make."""
    width, height = size
    random = np.random.RandomState(width * channels)
    if np.dtype(dtype).kind == "f":
        return (random.randint(0, 65536, (height, width, channels)) / 65536).astype(dtype)
    info = np.iinfo(dtype)
    return random.randint(info.min, info.max + 1, (height, width, channels)).astype(dtype)


def save(array: np.ndarray, path: Path, mode: str | None = None) -> None:
    if path.suffix == ".npy":
        np.save(path, array)
    elif path.suffix == ".npz":
        np.savez(path, image=array)
    elif array.dtype == np.uint8 and mode != "tifffile":
        image = Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array, mode)
        image.save(path, **({"lossless": True, "exact": True} if path.suffix == ".webp" else {}))
    elif path.suffix == ".png":
        Image.fromarray(array[:, :, 0]).save(path)
    else:
        photometric = "rgb" if array.shape[2] in (3, 4) else "minisblack"
        planes = {} if array.shape[2] == 1 else {"planarconfig": "contig"}
        tifffile.imwrite(path, array[:, :, 0] if array.shape[2] == 1 else array, photometric=photometric, **planes)


def load(path: Path) -> np.ndarray:
    """Read a result with what others would use."""
    if path.suffix == ".npy":
        array = np.load(path)
    elif path.suffix == ".npz":
        array = next(iter(np.load(path).values()))
    elif path.suffix == ".tif":
        array = tifffile.imread(path)
    else:
        array = np.array(Image.open(path))
    return np.atleast_3d(array)


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
def unchanging(run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCli:
    """A run named "same", whose generator returns its input."""
    monkeypatch.setattr("models.single_side_model.build_generator", Unchanged)
    (tmp_path / "checkpoints" / "same").mkdir(parents=True)

    def test(root: Path, channels: int, *flags: object) -> Any:
        from options.cli import parse_test

        words = ["--netG", "resnet_1blocks", "--ngf", "4", "--input_nc", str(channels), "--output_nc", str(channels)]
        net = parse_test(["--dataroot", "x", *words]).net
        weights = build_generator(net, channels, channels).state_dict()
        torch.save(weights, tmp_path / "checkpoints" / "same" / "latest_net_G.pth")
        return run_cli("test", ["--name", "same", "--dataroot", root, "--preprocess", "keep", *flags])

    return test


@pytest.mark.parametrize(("ending", "channels", "dtype", "result"), CASES, ids=lambda v: getattr(v, "__name__", str(v)))
def test_integers_come_back_unchanged_and_floats_nearly(
    ending: str, channels: int, dtype: Any, result: str, unchanging: RunCli, tmp_path: Path
) -> None:
    arrays = {f"{w}x{h}": values((w, h), channels, dtype) for w, h in SIZES if ending[:3] != ".np" or w > channels}
    (tmp_path / "in").mkdir()
    for name, array in arrays.items():
        save(array, tmp_path / "in" / f"{name}{ending}", "tifffile" if channels > 4 else None)
    done = unchanging(tmp_path / "in", channels)
    assert done.code == 0, done.stderr
    for name, array in arrays.items():
        got = load(tmp_path / "results/same/test_latest/images" / f"{name}_fake{result}")
        assert got.dtype == array.dtype
        if array.dtype.kind == "f":
            np.testing.assert_allclose(got, array, atol=1e-7)
        else:
            np.testing.assert_array_equal(got, array)


def test_a_range_of_ones_own_comes_back(unchanging: RunCli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    array = np.random.RandomState(0).randint(-1024, 3072, (9, 8, 1)).astype(np.int16)
    tifffile.imwrite(tmp_path / "in" / "ct.tif", array[:, :, 0])
    assert unchanging(tmp_path / "in", 1, "--value_range", "-1024,3071").code == 0
    images = tmp_path / "results/same/test_latest/images"
    np.testing.assert_array_equal(tifffile.imread(images / "ct_fake.tif"), array[:, :, 0])
    assert Image.open(images / "ct_fake.png").mode == "L"  # to look at
    assert 'src="images/ct_fake.png"' in (images.parent / "index.html").read_text()


def test_cmyk_palettes_and_1_bit_come_back_as_what_they_show(unchanging: RunCli, tmp_path: Path) -> None:
    rgb = an_image(0)
    for name, image in {
        "cmyk.jpg": rgb.convert("CMYK"),
        "palette.png": rgb.quantize(16),
        "1.png": rgb.convert("1"),
    }.items():
        write(image, tmp_path / "in" / name)
    assert unchanging(tmp_path / "in", 3).code == 0
    for name in ("cmyk.jpg", "palette.png", "1.png"):
        got = load(tmp_path / "results/same/test_latest/images" / f"{Path(name).stem}_fake.png")
        np.testing.assert_array_equal(got, np.array(Image.open(tmp_path / "in" / name).convert("RGB")))


def test_four_channels_of_cmyk_stay_cmyk(unchanging: RunCli, tmp_path: Path) -> None:
    image = an_image(0).convert("CMYK")
    write(image, tmp_path / "in" / "c.tif")
    assert unchanging(tmp_path / "in", 4).code == 0
    got = Image.open(tmp_path / "results/same/test_latest/images/c_fake.tif")
    assert got.mode == "CMYK"
    np.testing.assert_array_equal(np.array(got), np.array(image))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_images_stand_upright(orientation: int, unchanging: RunCli, tmp_path: Path) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "in").mkdir()
    an_image(0).save(tmp_path / "in" / "x.jpg", exif=exif)
    assert unchanging(tmp_path / "in", 3).code == 0
    expected = np.array(ImageOps.exif_transpose(Image.open(tmp_path / "in" / "x.jpg")))
    np.testing.assert_array_equal(load(tmp_path / "results/same/test_latest/images/x_fake.png"), expected)


def test_sub_folders_and_endings_keep_results_apart(unchanging: RunCli, tmp_path: Path) -> None:
    for shade, name in enumerate(["x.png", "a/x.png", "a/b/x.PNG", "ü/x.bmp", "a/x.bmp"]):
        write(Image.new("RGB", (5, 4), (shade, shade, shade)), tmp_path / "in" / name)
    assert unchanging(tmp_path / "in", 3).code == 0
    images = tmp_path / "results/same/test_latest/images"
    shades = {path.relative_to(images).as_posix(): int(load(path)[0, 0, 0]) for path in images.rglob("*_fake.png")}
    assert sorted(shades.values()) == [0, 1, 2, 3, 4]
    assert {name: shades[name] for name in ("x_fake.png", "a/b/x_fake.png", "ü/x_fake.png")} == {
        "x_fake.png": 0,
        "a/b/x_fake.png": 2,
        "ü/x_fake.png": 3,
    }


@pytest.mark.parametrize("direction", ["AtoB", "BtoA"])
def test_a_translation_has_the_depth_of_its_partner(
    direction: str, run_cli: RunCli, tiny: list[str], tmp_path: Path
) -> None:
    for phase in ("train", "test"):
        for index in range(2):
            write(an_image(index), tmp_path / "d" / f"{phase}A" / f"{index}.png")
            (tmp_path / "d" / f"{phase}B").mkdir(exist_ok=True)
            depth = (np.random.RandomState(index).rand(36, 40) * 10).astype(np.float32)
            tifffile.imwrite(tmp_path / "d" / f"{phase}B" / f"{index}.tif", depth)
    nc = ["--input_nc", 3, "--output_nc", 1] if direction == "AtoB" else ["--input_nc", 1, "--output_nc", 3]
    words = ["--model", "pix2pix", "--netG", "unet_32", "--dataroot", "d", "--name", "depth", "--direction", direction]
    assert run_cli("train", [*words, *nc, *tiny, "--value_range_B", "0,10"]).code == 0
    assert run_cli("test", ["--name", "depth", "--preprocess", "keep"]).code == 0
    images = tmp_path / "results/depth/test_latest/images"
    image_name, depth_name = ("real_A", "fake_B") if direction == "AtoB" else ("fake_B", "real_A")
    assert load(images / f"0_{image_name}.png").dtype == np.uint8
    made = load(images / f"0_{depth_name}.tif")
    assert made.dtype == np.float32
    assert made.min() >= 0
    assert made.max() > 1.5  # within 0 to 10, not 0 to 1
    if direction == "BtoA":
        np.testing.assert_allclose(made[:, :, 0], tifffile.imread(tmp_path / "d/testB/0.tif"), atol=1e-5)


def test_a_training_on_many_channels_shows_images_and_writes_arrays(
    run_cli: RunCli, tiny: list[str], tmp_path: Path
) -> None:
    for phase in ("train", "test"):
        for side, channels in (("A", 5), ("B", 2)):
            (tmp_path / "d" / f"{phase}{side}").mkdir(parents=True)
            np.save(tmp_path / "d" / f"{phase}{side}" / "x.npy", values((40, 36), channels, np.uint16))
    words = ["--model", "pix2pix", "--netG", "unet_32", "--dataroot", "d", "--name", "many", *tiny]
    assert run_cli("train", [*words, "--input_nc", 5, "--output_nc", 2]).code == 0
    shown = list((tmp_path / "checkpoints/many/web/images").glob("*"))
    assert {Image.open(path).mode for path in shown if "real_A" in path.name} == {"RGB"}
    assert {Image.open(path).mode for path in shown if "fake_B" in path.name} == {"L"}
    assert run_cli("test", ["--name", "many", "--preprocess", "keep"]).code == 0
    made = np.load(tmp_path / "results/many/test_latest/images/x_fake_B.npy")
    assert made.shape == (36, 40, 2)
    assert made.dtype == np.uint16
    assert np.unique(made).size > 256


@pytest.mark.parametrize("value_range", [["--value_range", "-1,1"], ["--value_range=-1,1"]])
def test_a_negative_range_can_be_typed(value_range: list[str], unchanging: RunCli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    array = np.random.RandomState(0).uniform(-1, 1, (8, 9)).astype(np.float32)
    np.save(tmp_path / "in" / "x.npy", array)
    assert unchanging(tmp_path / "in", 1, *value_range).code == 0
    np.testing.assert_allclose(np.load(tmp_path / "results/same/test_latest/images/x_fake.npy"), array, atol=1e-7)


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
    flags: list[str], dtype: type, ending: str, unchanging: RunCli, tmp_path: Path
) -> None:
    image = an_image(0)
    write(image, tmp_path / "in" / "x.png")
    assert unchanging(tmp_path / "in", 3, *flags).code == 0
    made = tmp_path / f"results/same/test_latest/images/x_fake.{ending}"
    high = float(flags[1].split(",")[1]) if flags else 255.0
    if dtype is not np.uint16:  # Pillow shows 8 of 16 bits
        np.testing.assert_allclose(load(made), np.array(image) / 255 * high, rtol=1e-5, atol=1e-5)
        assert load(made).dtype == dtype
    else:
        from util.raster.reading import read_raster

        np.testing.assert_array_equal(read_raster(made).levels, np.array(image).astype(np.uint16) * 257)


def test_the_page_shows_what_a_browser_would_show_too_dark(unchanging: RunCli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    array = np.random.RandomState(0).randint(0, 4096, (8, 9)).astype(np.uint16)
    Image.fromarray(array).save(tmp_path / "in" / "x.png")
    assert unchanging(tmp_path / "in", 1, "--value_range", "0,4095").code == 0
    images = tmp_path / "results/same/test_latest/images"
    np.testing.assert_array_equal(np.array(Image.open(images / "x_fake.png")), array)
    assert 'src="images/x_fake_shown.png"' in (images.parent / "index.html").read_text()
    shown = np.array(Image.open(images / "x_fake_shown.png"))
    np.testing.assert_allclose(shown, array / 4095 * 255, atol=0.51)


def test_the_way_back_of_a_cyclegan_reads_its_input_as_B(run_cli: RunCli, tiny: list[str], tmp_path: Path) -> None:
    for side, low in (("A", 0), ("B", 100)):
        (tmp_path / "d" / f"train{side}").mkdir(parents=True)
        values = np.random.RandomState(low).randint(low, low + 50, (36, 40)).astype(np.int32)
        np.save(tmp_path / "d" / f"train{side}" / "x.npy", values)
    ranges = ["--value_range_A", "0,49", "--value_range_B", "100,149"]
    nc = ["--input_nc", 1, "--output_nc", 1]
    words = ["--name", "back", "--dataroot", "d", "--netG", "resnet_1blocks", *nc, *ranges, *tiny]
    assert run_cli("train", words).code == 0
    root, keep = tmp_path / "d" / "trainB", ["--preprocess", "keep"]
    assert (
        run_cli("test", ["--name", "back", "--model", "test", "--dataroot", root, "--model_suffix", "_B", *keep]).code
        == 0
    )
    images = tmp_path / "results/back/test_latest/images"
    np.testing.assert_array_equal(np.load(images / "x_real.npy"), np.load(root / "x.npy"))
    made = np.load(images / "x_fake.npy")
    assert 0 <= made.min() <= made.max() <= 49


def arrays_of(layouts: dict[str, tuple[int, ...]], dtype: Any) -> dict[str, np.ndarray]:
    """Random values over the whole range of a type, by name."""
    random, info = np.random.RandomState(0), np.iinfo(dtype)
    return {name: random.randint(info.min, info.max + 1, shape).astype(dtype) for name, shape in layouts.items()}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
@pytest.mark.parametrize("channels", [1, 3, 5])
def test_arrays_keep_the_order_of_their_axes(channels: int, dtype: Any, unchanging: RunCli, tmp_path: Path) -> None:
    shapes = {"first": (channels, 37, 45), "last": (37, 45, channels), **({"flat": (37, 45)} if channels == 1 else {})}
    (tmp_path / "in").mkdir()
    arrays = arrays_of(shapes, dtype)
    for name, array in arrays.items():
        np.save(tmp_path / "in" / f"{name}.npy", array)
        np.savez(tmp_path / "in" / f"{name}_z.npz", spectrum=array)
    assert unchanging(tmp_path / "in", channels).code == 0
    images = tmp_path / "results/same/test_latest/images"
    for name, array in arrays.items():
        with np.load(images / f"{name}_z_fake.npz") as packed:
            assert list(packed) == ["spectrum"]
            found = [np.load(images / f"{name}_fake.npy"), packed["spectrum"]]
        for got in found:
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, array, strict=True)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_planes_and_pages_of_a_tiff_stay_in_front(dtype: Any, unchanging: RunCli, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    arrays = arrays_of({"planes": (5, 37, 45), "pages": (5, 37, 45), "pixels": (37, 45, 5)}, dtype)
    configs = {"planes": {"planarconfig": "separate"}, "pixels": {"planarconfig": "contig"}}
    for name, array in arrays.items():
        path = tmp_path / "in" / f"{name}.tif"
        tifffile.imwrite(path, array, photometric="minisblack", metadata=None, **configs.get(name, {}))
    assert unchanging(tmp_path / "in", 5).code == 0
    for name, array in arrays.items():
        got = tifffile.imread(tmp_path / "results/same/test_latest/images" / f"{name}_fake.tif")
        np.testing.assert_array_equal(got, array, strict=True)


def test_a_translation_has_the_axes_of_its_partner(run_cli: RunCli, tiny: list[str], tmp_path: Path) -> None:
    words = ["--model", "pix2pix", "--netG", "unet_32", "--dataroot", "d", "--name", "flat", *tiny]
    for phase in ("train", "test"):
        for side in "AB":
            (tmp_path / "d" / f"{phase}{side}").mkdir(parents=True)
        np.save(tmp_path / "d" / f"{phase}A" / "x.npy", values((40, 36), 1, np.uint16)[:, :, 0])
        np.save(tmp_path / "d" / f"{phase}B" / "x.npy", values((40, 36), 3, np.uint16).transpose(2, 0, 1))
    assert run_cli("train", [*words, "--input_nc", 1, "--output_nc", 3]).code == 0
    assert run_cli("test", ["--name", "flat", "--preprocess", "keep"]).code == 0
    images = tmp_path / "results/flat/test_latest/images"
    assert np.load(images / "x_real_A.npy").shape == (36, 40)
    assert np.load(images / "x_fake_B.npy").shape == (3, 36, 40)  # as its partner
