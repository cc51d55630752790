"""Weights as safetensors: the same back, or one sentence."""

from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import Tensor

from options.errors import UserError
from tests.same_runs import differences
from tests.test_damaged_states import PLACES, some_damages
from util.checkpoint import load_weights
from util.safetensors_file import read_safetensors, write_safetensors

METADATA = {"netG": "resnet_9blocks", "no_dropout": "true", "note": "trained at night: é ü 中"}


def some_weights() -> dict[str, Tensor]:
    return {
        "model.1.weight": torch.randn(4, 3, 7, 7),
        "model.1.bias": torch.zeros(4),
        "model.2.num_batches_tracked": torch.tensor(2**40),
        "half": torch.randn(5).half(),
        "double": torch.randn(2, 2).double(),
        "flags": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
    }


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "latest_net_G.safetensors"


def test_weights_and_metadata_come_back_as_they_were_and_other_programs_read_them(path: Path) -> None:
    with pytest.raises(UserError, match=f"there is no file {path}; check the path"):
        read_safetensors(path)
    weights = some_weights()
    write_safetensors(weights, path, METADATA)
    read, metadata = read_safetensors(path)
    assert differences(read, weights) == []
    assert {key: tensor.dtype for key, tensor in read.items()} == {key: t.dtype for key, t in weights.items()}
    assert {key: metadata[key] for key in METADATA} == METADATA
    assert differences(safetensors.torch.load_file(path), weights) == []
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_parameters_counters_and_views_are_written_as_plain_tensors(path: Path) -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 3), torch.nn.BatchNorm2d(3))
    net(torch.randn(2, 2, 5, 5))
    weights: dict[str, Tensor] = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    weights["turned"] = weights["0.weight"].mT
    write_safetensors(weights, path, {})
    read = read_safetensors(path)[0]
    assert differences(read, weights) == []
    assert read["1.num_batches_tracked"] == 1
    assert read["1.num_batches_tracked"].shape == ()
    assert not read["0.weight"].requires_grad


def test_a_foreign_file_without_a_checksum_is_accepted(path: Path) -> None:
    weights = some_weights()
    safetensors.torch.save_file(weights, path)
    assert differences(read_safetensors(path)[0], weights) == []
    safetensors.torch.save_file(weights, path, metadata={"format": "pt"})
    assert read_safetensors(path)[1] == {"format": "pt"}
    assert differences(load_weights(path), weights) == []


def test_a_damaged_file_is_a_sentence_or_harmless(path: Path) -> None:
    weights = some_weights()
    write_safetensors(weights, path, METADATA)
    whole, sentences = path.read_bytes(), []
    for damage in some_damages(len(whole), seed=3):
        path.write_bytes(damage(whole))
        try:
            assert differences(read_safetensors(path)[0], weights) == [], damage
        except UserError as error:
            sentences.append(str(error))
    assert len(sentences) > PLACES
    assert not [sentence for sentence in sentences if path.name not in sentence or "\n" in sentence]


def test_a_change_of_the_metadata_or_of_a_number_is_named_as_damage(path: Path) -> None:
    """The metadata say how to build the network: ``no_dropout`` of a U-Net is known from nowhere else."""
    write_safetensors(some_weights(), path, METADATA)
    whole = path.read_bytes()
    changed = [whole.replace(b'"true"', b'"tsue"'), whole.replace(b"no_dropout", b"no_drnpout")]
    for damaged in (*changed, whole[:-1] + bytes([whole[-1] ^ 1])):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match="is damaged: its checksum does not fit; restore it from a copy"):
            read_safetensors(path)


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", bytes(1000), b"\xff" * 1000])
def test_something_else_is_a_sentence(content: bytes, path: Path) -> None:
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"{path.name} is no whole safetensors file .*; restore it from a copy"):
        read_safetensors(path)


def test_a_disk_that_refuses_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = some_weights()
    write_safetensors(weights, path, METADATA)

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        write_safetensors({"x": torch.ones(1)}, path, {})
    assert differences(read_safetensors(path)[0], weights) == []
    assert [file.name for file in path.parent.iterdir()] == [path.name]
