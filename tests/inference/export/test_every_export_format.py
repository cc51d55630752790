"""Files of every format, run by what they are made for, translate as the run does and say how to feed them."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from inference import load
from inference.export.writing import Written, read_generators, write_all
from inference.load import read_directions
from tests.conftest import RunCli
from tests.optional import need
from tests.recorded import images
from tests.refusals import refused
from tests.runs import make_run

need("onnx", "onnxscript", "onnxruntime")

SIZES = ((1, 64, 64), (2, 40, 40), (1, 1, 37), (3, 33, 90), (1, 32, 32))  # images, height, width
RUNS = {
    "two ways": ("cycle_gan", ""),
    "unet": ("pix2pix", "--netG unet_32 --direction BtoA --input_nc 1"),
    "colours": ("colorization", "--netG unet_32"),
}
SAME_IN_ALL = {"model": "cycle_gan", "translates": "BtoA", "network": "G_B", "norm": "instance", "weights": "raw"}
SAME_IN_ALL |= {"range": "-1,1", "input_values": "0,255", "multiple": "4", "input_channels": "RGB", "crop_size": "256"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("runs")
    return {name: make_run(folder / name, *given) for name, given in RUNS.items()}


@pytest.fixture(scope="module")
def write(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., list[Written]]:
    """Export a run by its name, once for each way of doing so."""
    done: dict[tuple[str, ...], list[Written]] = {}

    def export(name: str, kind: str, precision: str = "fp32") -> list[Written]:
        key = (name, kind, precision)
        if key not in done:
            folder = tmp_path_factory.mktemp("out")
            done[key] = list(write_all(read_generators(runs[name], "latest"), folder, kind, precision=precision))
        return done[key]

    return export


def by_onnx(path: Path) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda image: torch.from_numpy(session.run(["translation"], {"image": image.numpy()})[0])


def by_torchscript(path: Path, **more: Any) -> Callable[[Tensor], Tensor]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.load(path, **more)  # type: ignore[no-any-return, no-untyped-call]


def by_torch_export(path: Path) -> Callable[[Tensor], Tensor]:
    return torch.export.load(path).module()


def told_by(path: Path) -> dict[str, str]:
    """Read the metadata of a file, as another program would."""
    extra = {"metadata.json": ""}
    if path.suffix == ".onnx":
        import onnx

        return {one.key: one.value for one in onnx.load(path).metadata_props}
    if path.suffix == ".safetensors":
        with safe_open(path, "pt") as file:
            return dict(file.metadata())
    if path.suffix == ".pt2":
        torch.export.load(path, extra_files=extra)
    else:
        by_torchscript(path, _extra_files=extra)
    return dict(json.loads(extra["metadata.json"]))


READERS = {"onnx": by_onnx, "torchscript": by_torchscript, "torch_export": by_torch_export}


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize("name", ["two ways", "unet"])
def test_a_file_translates_images_of_any_size(name: str, kind: str, write: Any, runs: dict[str, Path]) -> None:
    ways = read_directions(runs[name])
    written = write(name, kind)
    assert [one.way.name for one in written] == list(ways)
    for one in written:
        way, run = ways[one.way.name], READERS[kind](one.path)
        for count, height, width in SIZES:
            image = images(7, count, way.input_nc, height, width)
            with torch.inference_mode():
                wanted, made = way.network(image), run(image)
            assert made.shape == wanted.shape
            assert (made - wanted).abs().max() < 1e-4, (count, height, width)


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param("--netG adalin_1blocks --spectral_norm GD", marks=pytest.mark.slow),
        "--netG johnson_1blocks --upsampling resize --ngf 4",
    ],
)
def test_the_other_generators_become_files_too(flags: str, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", "pix2pix", f"{flags} --norm instance")
    (way,) = read_directions(run).values()
    (one,) = write_all(read_generators(run, "latest"), tmp_path / "out", "onnx")
    for count, height, width in SIZES:
        image = images(7, count, 3, height, width)
        with torch.inference_mode():
            assert (by_onnx(one.path)(image) - way.network(image)).abs().max() < 1e-3
    (bare,) = write_all(read_generators(run, "latest"), tmp_path / "out", "safetensors")
    told = told_by(bare.path)
    assert f"--netG {told['netG']}" in flags
    assert told["upsampling"] == ("resize" if "resize" in flags else "transposed")
    assert told["spectral_norm"] == ("GD" if "GD" in flags else "none")
    levels = np.random.default_rng(1).integers(0, 256, (29, 40, 3), np.uint8)
    alone, whole = (load(source, precision="fp32")(levels) for source in (bare.path, run))
    assert np.array_equal(alone, whole)


@pytest.mark.slow
@pytest.mark.parametrize("kind", READERS)
def test_a_colorizing_file_takes_and_gives_rgb(kind: str, write: Any, runs: dict[str, Path]) -> None:
    (one,) = write("colours", kind)
    levels = np.random.default_rng(1).integers(0, 256, (29, 40, 3), np.uint8)
    image = torch.from_numpy(levels).permute(2, 0, 1)[None] / 127.5 - 1
    made = ((READERS[kind](one.path)(image) + 1) * 127.5).round()[0].permute(1, 2, 0).numpy()
    wanted = load(runs["colours"], precision="fp32")(levels).astype(int)
    assert np.abs(made - wanted).max() <= 1
    assert told_by(one.path)["input_channels"] == told_by(one.path)["output_channels"] == "RGB"


@pytest.mark.parametrize("kind", [*READERS, "safetensors"])
def test_the_metadata_are_alike_in_every_format(kind: str, write: Any) -> None:
    told = told_by(write("two ways", kind)[1].path)
    assert {key: told[key] for key in SAME_IN_ALL} == SAME_IN_ALL
    assert told["to_network"].startswith("x = 2 * (value - low) / (high - low) - 1")
    assert {"from_network", "layout", "padding", "producer", "made_with"} <= told.keys()
    if kind != "safetensors":
        assert told["padding"].startswith("inside: ")
        assert (told["input_name"], told["output_name"], told["precision"]) == ("image", "translation", "fp32")


def test_the_metadata_know_direction_channels_and_what_a_network_wants(write: Any) -> None:
    (program,), (weights,) = write("unet", "onnx"), write("unet", "safetensors")
    told = told_by(program.path)
    assert (told["translates"], told["direction"], told["multiple"]) == ("BtoA", "BtoA", "32")
    assert (told["input_channels"], told["output_channels"]) == ("gray", "RGB")
    assert told["norm_statistics"] == "image"
    assert told_by(weights.path)["padding"].startswith("extend sides by reflection to multiples of 32")
    assert told_by(write("two ways", "safetensors")[0].path)["padding"].startswith("sides become multiples of 4; cut")


def test_an_onnx_file_is_plain(write: Any) -> None:
    import onnx

    one = write("unet", "onnx")[0]
    model = onnx.load(one.path)
    onnx.checker.check_model(model, full_check=True)
    for value, channels in ((model.graph.input[0], 1), (model.graph.output[0], 3)):
        dims = [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        assert dims == ["batch", channels, "height", "width"]
        assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    assert [(one.domain, one.version) for one in model.opset_import] == [("", 18)]
    assert str(Path(__file__).parents[3]).encode() not in one.path.read_bytes()  # no paths of this machine


@pytest.mark.parametrize(("precision", "least", "share"), [("fp16", 55, 0.7), ("int8", 30, 0.95)])
def test_other_precisions_are_smaller_and_near(
    precision: str, least: float, share: float, write: Any, runs: dict[str, Path]
) -> None:
    (plain,), (small,) = write("unet", "onnx"), write("unet", "onnx", precision)
    assert small.path.name == f"latest_net_G_{precision}.onnx"
    assert small.path.stat().st_size < share * plain.path.stat().st_size
    assert told_by(small.path)["precision"] == precision
    assert small.times.keys() == {"fp32", precision}
    image = images(7, 2, 1, 65, 64)
    (wanted,) = (way.network(image) for way in read_directions(runs["unet"]).values())
    made = by_onnx(small.path)(image)
    assert made.dtype == torch.float32
    assert 10 * torch.log10(4 / (made - wanted).square().mean()) > least


def test_what_is_printed_names_file_direction_difference_and_speed(write: Any) -> None:
    one = write("unet", "onnx", "int8")[0]
    assert str(one).startswith(f"{one.path} (")
    assert " MB): BtoA, differs from PyTorch by at most " in str(one)
    assert " of 255 levels), PSNR " in str(one)
    assert " ms in int8, " in str(one)
    assert str(one).endswith(" ms in fp32")
    assert "makes the same numbers as PyTorch" in str(write("unet", "safetensors")[0])


def test_norms_with_the_statistics_of_the_training(runs: dict[str, Path], tmp_path: Path) -> None:
    ways = read_generators(runs["unet"], "latest", running_statistics=True)
    (one,) = write_all(ways, tmp_path, "torchscript")
    image = images(7, 1, 1, 50, 40)
    (wanted,) = (way.network(image) for way in read_directions(runs["unet"], running_statistics=True).values())
    assert (by_torchscript(one.path)(image) - wanted).abs().max() < 1e-4
    assert told_by(one.path)["norm_statistics"] == "training"


def test_a_value_range_is_told_for_both_sides(tmp_path: Path) -> None:
    run = make_run(tmp_path / "deep", "cycle_gan", "--value_range_A 0,16777215")
    there, back = write_all(read_generators(run, "latest"), tmp_path, "safetensors")
    assert [told_by(one.path)["input_values"] for one in (there, back)] == ["0,16777215", "0,255"]
    assert [told_by(one.path)["output_values"] for one in (there, back)] == ["0,255", "0,16777215"]
    again = read_directions(there.path)["AtoB"]
    assert (again.limits, again.target_limits) == ((0, 16777215), None)


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--input_nc 4", "a browser's images have 1 or 3 channels of 8 bits, but {} is for 4 channels; use --to onnx"),
        ("--value_range_B 0,4095", "but {} was trained with --value_range 0,4095; use --to onnx"),
    ],
)
def test_images_that_no_browser_has_are_refused(flags: str, sentence: str, run_cli: RunCli, tmp_path: Path) -> None:
    run = make_run(tmp_path / "p", "pix2pix", flags)
    done = run_cli("export", [run, "--to", "web", "-o", "page"])
    refused(done, sentence.format(run / "latest_net_G.pth"))
    assert not Path("page").exists()
