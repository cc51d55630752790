"""The example that translates with ONNX Runtime alone."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference import load
from inference.export.writing import read_generators, write_all
from tests.conftest import PROJECT
from tests.images import an_image, write
from tests.optional import need
from tests.runs import make_run

need("onnx", "onnxscript", "onnxruntime")

PROGRAM = PROJECT / "examples" / "onnx_image.py"
GRAY = "--netG unet_32 --input_nc 1 --output_nc 1"


def run(*words: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, PROGRAM, *map(str, words)], capture_output=True, text=True)


def unchanged(path: Path, **told: str) -> Path:
    """Write a model that gives back what it is given, with metadata."""
    from onnx import TensorProto, helper, save_model

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, None, None]) for name in ("image", "made")]
    graph = helper.make_graph([helper.make_node("Identity", ["image"], ["made"])], "nothing", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    helper.set_model_props(model, {"input_name": "image", "output_name": "made", **told})
    save_model(model, path)
    return path


@pytest.mark.parametrize(("model", "flags", "mode"), [("cycle_gan", "", "RGB"), ("pix2pix", GRAY, "L")])
def test_it_makes_what_the_project_makes(model: str, flags: str, mode: str, tmp_path: Path) -> None:
    trained = make_run(tmp_path / "run", model, flags)
    (exported,) = write_all(read_generators(trained, "latest", direction="AtoB"), tmp_path, "onnx")
    source, target = write(an_image(1, (45, 33)), tmp_path / "a.png"), tmp_path / "b.png"
    done = run(exported.path, source, target)
    assert done.returncode == 0, done.stderr
    made = np.asarray(Image.open(target))
    wanted = np.asarray(load(trained, precision="fp32")(Image.open(source).convert(mode))).astype(int)
    assert made.shape == wanted.shape
    assert np.abs(made - wanted).max() <= 1
    assert np.std(wanted) > 1


def test_it_heeds_the_values_in_the_metadata(tmp_path: Path) -> None:
    told = {"input_channels": "RGB", "output_channels": "RGB", "input_values": "0,510", "output_values": "0,255"}
    model, target = unchanged(tmp_path / "m.onnx", **told), tmp_path / "b.png"
    source = write(Image.new("RGB", (1, 3), (200, 100, 50)), tmp_path / "a.png")
    assert run(model, source, target).returncode == 0
    assert np.array_equal(np.asarray(Image.open(target)), np.full((3, 1, 3), (100, 50, 25)))


def test_other_channels_and_words_are_refused(tmp_path: Path) -> None:
    done = run(unchanged(tmp_path / "m.onnx", input_channels="4 channels", output_channels="RGB"), "a.png", "b.png")
    assert done.returncode == 1
    assert "m.onnx takes 4 channels and makes RGB; this example is for colours and gray" in done.stderr
    assert "usage: python onnx_image.py MODEL.onnx IMAGE RESULT" in run("a.png").stderr


def test_it_needs_nothing_of_this_project() -> None:
    imports = [line.split()[1] for line in PROGRAM.read_text().splitlines() if line.startswith(("import", "from"))]
    assert imports == ["sys", "numpy", "onnxruntime", "PIL"]
