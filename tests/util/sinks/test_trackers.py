"""Weights & Biases and TensorBoard are optional: what happens without them, and what they are told."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from options.errors import UserError
from tests.util.sinks.events import pictures, scalars
from util.sinks.tensorboard import TensorBoardSink
from util.sinks.wandb import WandbSink


def test_without_wandb_the_message_says_what_to_type(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        WandbSink(project="p", name="n", options={})


def test_without_tensorboard_the_message_says_what_to_type(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        TensorBoardSink(tmp_path)


def test_wandb_gets_losses_and_pictures_at_the_images_seen(monkeypatch) -> None:
    logged = []
    run = SimpleNamespace(log=lambda values, step: logged.append((step, set(values))), finish=lambda: None)
    fake = SimpleNamespace(init=lambda **_: run, Image=lambda picture: picture, errors=SimpleNamespace(Error=OSError))
    monkeypatch.setitem(sys.modules, "wandb", fake)
    sink = WandbSink(project="p", name="n", options={"lr": 0.1})
    sink.scalars(scalars(3, G=1.0))
    sink.images(pictures(1, 400))
    sink.close()
    assert logged[0][0] == 300
    assert "loss/G" in logged[0][1]
    assert logged[1] == (400, {"real_A", "fake_B"})


def test_wandb_that_does_not_start_is_a_sentence(monkeypatch) -> None:
    def fail(**_: object) -> None:
        raise OSError("no API key")

    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(init=fail, errors=SimpleNamespace(Error=OSError)))
    with pytest.raises(UserError, match=r"no API key.*WANDB_MODE=offline"):
        WandbSink(project="p", name="n", options={})


def test_tensorboard_writes_an_event_file(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    sink = TensorBoardSink(tmp_path)
    sink.scalars(scalars(1))
    sink.images(pictures())
    sink.close()
    assert [path for path in tmp_path.iterdir() if path.stat().st_size > 500]
