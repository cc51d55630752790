"""A new model is one short file and one import."""

import importlib
import sys
from pathlib import Path

import pytest
import torch

from models.registry import MODELS
from tests.conftest import RunCli

PROJECT = Path(__file__).parents[2]
TEMPLATE = PROJECT / "models" / "template_model.py"


@pytest.mark.parametrize("path", sorted((PROJECT / "models").glob("*.py")), ids=lambda path: path.name)
def test_no_model_touches_optimizers_files_or_ranks(path: Path) -> None:
    if not path.name.endswith("_model.py"):
        return
    words = ("optim.Adam", ".backward(", "torch.save", "torch.load", "open(", ".rank", "cuda", "setattr", "getattr")
    assert [word for word in words if word in path.read_text()] == []


@pytest.fixture
def copied_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the template under the name ``mine`` into a module of its own and import it."""
    source = TEMPLATE.read_text().replace('register("template")', 'register("mine")')
    source = source.replace("lambda_regression", "lambda_mine").replace("TemplateModel", "MineModel")
    (tmp_path / "mine_model.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(MODELS, "_table", dict(MODELS._table))
    monkeypatch.delitem(sys.modules, "mine_model", raising=False)
    importlib.import_module("mine_model")


@pytest.mark.usefixtures("copied_template")
def test_a_copied_template_trains_and_translates_with_one_import(
    aligned_root: Path, tiny: list[str], run_cli: RunCli, tmp_path: Path
) -> None:
    flags = [*tiny, "--netG", "resnet_1blocks", "--name", "run", "--lambda_mine", "3"]
    done = run_cli("train", ["--dataroot", aligned_root, "--model", "mine", *flags])
    assert done.code == 0, done.stderr
    assert "model [MineModel] was created" in done.stdout
    folder = tmp_path / "checkpoints" / "run"
    assert "model.1.weight" in torch.load(folder / "latest_net_G.pth", weights_only=True)
    assert "lambda_mine: 3.0" in (folder / "train_opt.txt").read_text()
    done = run_cli("test", ["--dataroot", aligned_root, "--name", "run", "--model", "mine"])
    assert done.code == 0, done.stderr
    names = {path.name for path in (tmp_path / "results" / "run" / "test_latest" / "images").iterdir()}
    assert names == {f"pair{n}_{label}.png" for n in (0, 1) for label in ("real_A", "fake_B", "real_B")}


@pytest.mark.usefixtures("copied_template")
def test_a_copied_template_is_offered_by_name(run_cli: RunCli) -> None:
    done = run_cli("train", ["--dataroot", "x", "--model", "mime"])
    assert done.code == 2
    assert "unknown model 'mime'; did you mean 'mine'?" in done.stderr


def test_an_unimported_model_is_unknown(run_cli: RunCli) -> None:
    done = run_cli("train", ["--dataroot", "x", "--model", "mine"])
    assert done.code == 2
    assert "unknown model 'mine'" in done.stderr
