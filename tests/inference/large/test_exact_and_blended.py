"""Images in parts against the same images at once."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from inference.direction import Direction
from inference.large import Tiling, tiling
from inference.large.blend import blended
from inference.large.box import Box, boxes
from inference.large.exact import Plan
from inference.large.kept import FileStore, Statistics
from inference.translator import Translator
from networks.factory import build_generator
from networks.repeatable import repeatable
from options.errors import UserError
from options.schema import NetOptions

CPU = torch.device("cpu")
NETWORKS = ["resnet_2blocks", "unet_32"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 64 pixels, so that small images have many."""
    monkeypatch.setattr(tiling, "SMALLEST", 64)
    monkeypatch.setattr(tiling, "LARGEST", 64)


def translator(
    netG: str, norm: Any = "instance", *, eval_: bool = False, precision: str = "fp32", **flags: Any
) -> Translator:
    torch.manual_seed(0)
    network = build_generator(NetOptions(netG=netG, norm=norm, ngf=4, **flags), 3, 3)
    for name, value in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith("rho"):
            value.data.uniform_(0, 1)
        elif value.is_floating_point() and not name.endswith(("_u", "_v")):
            value.data.mul_(8).add_(0.1 if name.endswith(("bias", "mean")) else 0)
    way = Direction("AtoB", repeatable(network, running_statistics=eval_), "G", 3, 3, netG, 4)
    return Translator({"AtoB": way}, CPU, precision=precision)


def an_image(height: int, width: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Return coarse blobs whose brightness drifts across the image, H x W x 3 in [0, 1]."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.random((1, 3, 9, 9), np.float32))
    fine = torch.from_numpy(rng.random((1, 3, height, width), np.float32))
    ramp = torch.linspace(0, 0.3, width)
    blobs = nn.functional.interpolate(coarse, (height, width), mode="bilinear") * 0.5 + fine * 0.2 + ramp
    return blobs[0].clamp(0, 1).permute(1, 2, 0).numpy()


def psnr(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> float:
    return -10 * math.log10(max(1e-30, float(((one.astype(float) - other) ** 2).mean())))


def of_parts(one: Translator, size: tuple[int, int]) -> float:
    """Return how near an image in exact parts is to the same at once, dB."""
    image = an_image(*size)
    whole = one(image)
    assert whole.std() > 0.01 or 1 in size
    one.tiling = Tiling("exact")
    return psnr(one(image), whole)


@pytest.mark.parametrize("netG", NETWORKS)
@pytest.mark.parametrize("norm", ["instance", "batch", "syncbatch", "none"])
@pytest.mark.parametrize("size", [(203, 150), (130, 67), (256, 65), (3, 200), (200, 1)])
def test_exact_parts_equal_the_whole(netG: str, norm: str, size: tuple[int, int]) -> None:
    assert of_parts(translator(netG, norm), size) > 90


@pytest.mark.parametrize("size", [(203, 150), (65, 256), (3, 200), (200, 1)])
@pytest.mark.parametrize(
    ("netG", "flags"),
    [
        ("adalin_1blocks", {}),
        ("johnson_2blocks", {"spectral_norm": "GD"}),
        ("encdec_32", {"upsampling": "resize"}),
        ("resnet_1blocks", {"upsampling": "resize"}),
        ("unet_32", {"upsampling": "resize"}),
    ],
)
def test_exact_parts_of_every_generator(netG: str, flags: dict[str, Any], size: tuple[int, int]) -> None:
    assert of_parts(translator(netG, "instance", **flags), size) > 90


@pytest.mark.parametrize("norm", ["batch", "syncbatch"])
@pytest.mark.parametrize("netG", NETWORKS)
def test_exact_parts_with_the_statistics_of_the_training(netG: str, norm: str) -> None:
    assert of_parts(translator(netG, norm, eval_=True), (150, 131)) > 90


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_exact_parts_under_the_fast_precisions(precision: str) -> None:
    one = translator("resnet_2blocks", precision=precision)
    assert of_parts(one, (150, 131)) > (90 if precision == "auto" else 35)


@pytest.mark.parametrize("netG", NETWORKS)
def test_maps_on_the_disk_are_as_good_as_half_precision(netG: str, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Box] = []
    write = FileStore.write

    def noted(self: FileStore, box: Box, part: torch.Tensor) -> None:
        written.append(box)
        write(self, box, part)

    monkeypatch.setattr(FileStore, "write", noted)
    monkeypatch.setattr(tiling, "Plan", lambda side, memory, kept, progress: Plan(side, 0.0, kept, progress))
    assert of_parts(translator(netG, "instance"), (203, 150)) > 50
    assert written


def test_tiles_with_norms_of_their_own_differ_but_have_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    one = translator("resnet_2blocks")
    image = an_image(300, 290)
    whole = one(image)
    monkeypatch.setattr(Tiling, "room", lambda self, device, enough=0: 2 * tiling.BYTES * 4 * 96.0**2)
    one.tiling = Tiling("blend")
    made = one(image)
    assert made.shape == whole.shape
    assert psnr(made, whole) < 60
    steps, smooth = (np.abs(np.diff(values, axis=1)).mean((0, 2)) for values in (made, whole))
    assert (steps / smooth).max() < 1.5  # nowhere a column that jumps


@pytest.mark.parametrize(("height", "width"), [(215, 130), (215, 40)])
def test_tiles_of_a_network_that_sees_single_points_equal_the_whole(height: int, width: int) -> None:
    image = torch.randn(1, 3, height, width)

    def square(box: Box) -> torch.Tensor:
        return image[:, :, box.top : box.bottom, box.left : box.right] ** 2

    made = torch.full_like(image, torch.nan)
    for box, part in blended(height, width, 64, square):
        assert (box.left, box.right) == (0, width)
        made[:, :, box.top : box.bottom] = part
    torch.testing.assert_close(made, image**2)


def test_boxes_cover_a_map_once() -> None:
    count = torch.zeros(201, 97)
    for box in boxes(201, 97, 64):
        assert max(box.height, box.width) <= 64
        count[box.top : box.bottom, box.left : box.right] += 1
    assert (count == 1).all()


def test_statistics_of_parts_are_those_of_the_whole() -> None:
    whole = torch.randn(1, 5, 90, 70, dtype=torch.float64) * 3 + torch.arange(5)[:, None, None] * 100
    found = Statistics(5)
    for box in boxes(90, 70, 32):
        found.add(whole[:, :, box.top : box.bottom, box.left : box.right].float())
    torch.testing.assert_close(found.mean, whole.mean((0, 2, 3)).float())
    torch.testing.assert_close(found.variance, whole.var((0, 2, 3), correction=0).float(), rtol=1e-4, atol=0)


def test_auto_computes_at_once_what_fits_and_in_parts_what_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    one = translator("resnet_2blocks")
    image = an_image(203, 150)
    whole = one(image)
    asked: list[tuple[int, int]] = []
    run = Translator.in_parts

    def in_parts(self: Translator, way: Direction, size: tuple[int, int], *rest: Any) -> None:
        asked.append(size)
        run(self, way, size, *rest)

    monkeypatch.setattr(Translator, "in_parts", in_parts)
    assert np.array_equal(one(image), whole)
    assert asked == []
    monkeypatch.setattr(Tiling, "room", lambda self, device, enough=0: 203 * 149 * tiling.BYTES * 4.0)
    assert psnr(one(image), whole) > 50  # in so little room, maps are kept in half precision
    assert asked == [(150, 203)]


def test_too_little_memory_and_unknown_networks_are_told() -> None:
    one = translator("resnet_2blocks")
    one.tiling = Tiling("exact", 2**20)
    with pytest.raises(UserError, match=r"leaves 0 MiB beside the program and the networks; allow at least"):
        one(an_image(80, 80))
    way = one.directions["AtoB"]
    strange = Translator({"AtoB": way}, CPU, precision="fp32", tiling=Tiling("exact"))
    layers = strange._networks["AtoB"].get_submodule("model")
    layers.add_module("last", nn.Sigmoid())
    with pytest.raises(UserError, match="a Sigmoid cannot be computed in exact parts; pass --tiling blend"):
        strange(an_image(80, 80))
    other = Translator({"AtoB": way}, CPU, precision="fp32", tiling=Tiling("exact"))
    other._networks["AtoB"] = nn.Conv2d(3, 3, 1)
    with pytest.raises(UserError, match="a Conv2d cannot be computed in exact parts; pass --tiling blend"):
        other(an_image(80, 80))


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def full(*of: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", full)
    with pytest.raises(UserError, match=r"0.5 GB for intermediate results do not fit in .* pass --tiling blend"):
        FileStore(256, 1000, 1000)
