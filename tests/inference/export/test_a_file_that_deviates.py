"""A file that does not translate as PyTorch does is not written, and the command fails."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from inference.export import weights
from inference.export.check import Deviation, DeviationError, compare, images
from inference.export.formats import FORMATS
from inference.load import read_directions
from tests.conftest import RunCli
from tests.runs import make_run
from util.checkpoint import load_weights


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_run(tmp_path_factory.mktemp("runs") / "p", "pix2pix", "--netG unet_32")


def break_format(monkeypatch: pytest.MonkeyPatch, damage: Callable[[Tensor], Tensor]) -> None:
    """Let TorchScript files make something else than they should."""
    real = FORMATS["torchscript"]

    def broken(content: bytes) -> Callable[[Tensor], Tensor]:
        program = real.run(content)
        return lambda image: damage(program(image))

    monkeypatch.setitem(FORMATS, "torchscript", real._replace(run=broken))


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (
            lambda made: made + 0.002,
            r"differs from PyTorch by at most 2.0e-03 \(0.26 of 255 levels\), PSNR 60 dB,",
        ),
        (lambda made: made * torch.nan, "differs from PyTorch by at most nan"),
        (lambda made: made[:, :, 1:], r"makes \(1, 3, 255, 256\) where PyTorch makes \(1, 3, 256, 256\)"),
    ],
)
def test_it_is_one_sentence_and_exit_code_1(
    damage: Callable[[Tensor], Tensor],
    sentence: str,
    run: Path,
    run_cli: RunCli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_format(monkeypatch, damage)
    path = tmp_path / "out" / "latest_net_G.ts.pt"
    path.parent.mkdir()
    path.write_bytes(b"of before")
    done = run_cli("export", [run, "--to", "torchscript", "-o", path.parent])
    assert done.code == 1
    assert re.search(f"^export.py: error: as torchscript, AtoB of {run}/latest_net_G.pth {sentence}", done.stderr)
    assert done.stderr.endswith("; it was not written\n")
    assert done.stderr.count("\n") == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == b"of before"


def test_a_pytorch_too_old_for_a_format_is_told(
    run: Path, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.export.pytorch_file._config", object())
    done = run_cli("export", [run, "--to", "torch_export", "-o", tmp_path / "out"])
    assert done.code == 2
    assert "is too old for this format; type: pip install --upgrade torch" in done.stderr


def test_weights_that_come_back_changed_are_noticed(
    run: Path, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = {key: value * 1.5 for key, value in load_weights(run / "latest_net_G.pth").items()}
    monkeypatch.setattr(weights, "load_weights", lambda _: changed)
    done = run_cli("export", [run, "-o", tmp_path / "out"])
    assert done.code == 1
    assert f"as safetensors, AtoB of {run}/latest_net_G.pth differs from PyTorch" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    ("largest", "psnr", "precision", "near"),
    [
        (9e-4, 70.0, "fp32", True),
        (2e-3, 70.0, "fp32", False),
        (0.5, 41.0, "fp16", True),
        (0.5, 39.0, "fp16", False),
        (0.5, 25.0, "int8", True),
        (0.5, 15.0, "int8", False),
        (float("nan"), float("nan"), "fp32", False),
        (float("nan"), float("nan"), "int8", False),
    ],
)
def test_each_precision_has_its_tolerance(largest: float, psnr: float, precision: str, near: bool) -> None:
    deviation = Deviation(largest, psnr)
    if near:
        assert deviation.checked(precision) is deviation
    else:
        with pytest.raises(DeviationError, match=f"more than {precision} explains"):
            deviation.checked(precision)


def test_one_number_in_one_image_is_enough(run: Path) -> None:
    (way,) = read_directions(run).values()

    def almost(image: Tensor) -> Tensor:
        made: Tensor = way.network(image).clone()
        if image.shape[2] == 31:
            made[0, 1, 30, 199] += 0.25
        return made

    assert compare(way, almost).largest == pytest.approx(0.25)


def test_the_images_are_the_same_every_time_and_fill_the_range() -> None:
    for one, other in zip(images(3), images(3), strict=True):
        assert torch.equal(one, other)
        assert one.abs().max() <= 1
    first = next(images(3))
    assert first.amax() - first.amin() > 1.2
    assert first.std((2, 3)).min() > 0.1
