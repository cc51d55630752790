"""Checkpoint files: whole or not at all, and nothing but tensors in them."""

import errno
import os
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torch import nn

from util import checkpoint
from util.checkpoint import load_file, load_weights, prefix_of, save_file, weights_path


def weights_of(value: float) -> dict[str, torch.Tensor]:
    return {"model.1.weight": torch.full((2, 3), value), "model.1.bias": torch.full((2,), value)}


def test_what_was_saved_is_loaded_without_running_code(tmp_path: Path) -> None:
    state = {"format": 1, "networks": {"G": weights_of(1.5)}, "list": [1, "two", 3.0, None, True], "big": 2**60}
    save_file(state, tmp_path / "a.pth")
    loaded = load_file(tmp_path / "a.pth")
    assert torch.equal(loaded["networks"]["G"]["model.1.weight"], torch.full((2, 3), 1.5))
    assert {key: loaded[key] for key in ("format", "list", "big")} == {
        key: state[key] for key in ("format", "list", "big")
    }
    assert [path.name for path in tmp_path.iterdir()] == ["a.pth"]


def disk_full(*args: object, **kwargs: object) -> None:
    raise OSError(28, "No space left on device")


def half_written(value: object, file: object) -> None:
    file.write(b"half")  # type: ignore[attr-defined]
    disk_full()


def in_the_words_of_torch(value: object, file: object) -> None:
    """On a full disk ``torch.save`` speaks of file positions."""
    raise RuntimeError("[enforce fail at inline_container.cc:671] . unexpected pos 3036480 vs 3036368")


def interrupted(*args: object) -> None:
    raise KeyboardInterrupt("No space left, and patience neither")


@pytest.mark.parametrize(
    ("owner", "name", "failure"),
    [
        (torch, "save", half_written),
        (torch, "save", in_the_words_of_torch),
        (os, "replace", disk_full),
        (os, "replace", interrupted),
        (os, "fsync", disk_full),
        (checkpoint, "is_whole", lambda path: False),
    ],
)
def test_a_failure_in_the_middle_leaves_the_old_file_whole_and_nothing_else(
    owner: object, name: str, failure: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "latest_net_G.pth"
    save_file(weights_of(1), path)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, failure)
        with pytest.raises(
            KeyboardInterrupt if failure is interrupted else OSError, match="No space left|full disk|did not keep"
        ):
            save_file(weights_of(2), path)
    assert torch.equal(load_weights(path)["model.1.bias"], torch.full((2,), 1.0))
    assert [file.name for file in tmp_path.iterdir()] == ["latest_net_G.pth"]


def test_the_content_is_on_the_disk_before_the_name_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    order: list[str] = []
    sync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "fsync", lambda file: (sync(file), order.append("fsync")))  # type: ignore[func-returns-value]
    monkeypatch.setattr(os, "replace", lambda *paths: (order.append("replace"), replace(*paths)))  # type: ignore[func-returns-value]
    save_file(weights_of(1), tmp_path / "a.pth")
    assert order[:2] == ["fsync", "replace"]


def test_weights_lose_the_prefix_of_a_parallel_wrapper(tmp_path: Path) -> None:
    wrapped = OrderedDict((f"module.{key}", value) for key, value in weights_of(1).items())
    torch.save(wrapped, tmp_path / "a.pth")
    assert list(load_weights(tmp_path / "a.pth")) == list(weights_of(1))


def test_the_official_way_of_saving_is_read(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    torch.save(net.cpu().state_dict(), tmp_path / "new.pth")
    torch.save(net.state_dict(), tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    for name in ("new.pth", "old.pth"):
        loaded = load_weights(tmp_path / name)
        assert list(loaded) == list(net.state_dict())
        net.load_state_dict(loaded)


def test_a_missing_file_is_named_with_the_flags_to_check(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"there is no checkpoint .*a.pth; check --name, --checkpoints_dir and --epoch"
    ):
        load_file(tmp_path / "a.pth")


@pytest.mark.parametrize(
    ("owner", "name", "error", "words"),
    [
        (torch, "load", RuntimeError("can't allocate memory: you tried"), "not enough memory to read .*a.pth"),
        (zipfile.ZipFile, "testzip", OSError(errno.EIO, "Input/output error"), "a.pth cannot be read .*try again"),
        (zipfile.ZipFile, "testzip", OSError(errno.EINVAL, "Invalid argument"), "a.pth is damaged or cut off"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_from_a_damaged_one(
    owner: object, name: str, error: Exception, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **named: object) -> None:
        raise error

    save_file(weights_of(1), tmp_path / "a.pth")
    monkeypatch.setattr(owner, name, fail)
    with pytest.raises(ValueError, match=words):
        load_file(tmp_path / "a.pth")


@pytest.mark.parametrize("value", [[torch.zeros(1)], {"optimizer": {}, "w": torch.zeros(1)}, torch.zeros(1)])
def test_something_else_than_weights_is_refused(value: object, tmp_path: Path) -> None:
    torch.save(value, tmp_path / "a.pth")
    with pytest.raises(ValueError, match="is not the weights of a network"):
        load_weights(tmp_path / "a.pth")


def test_file_names_are_the_official_ones() -> None:
    assert weights_path(Path("run"), prefix_of("latest", 0), "G_A") == Path("run/latest_net_G_A.pth")
    assert weights_path(Path("run"), prefix_of("20", 0), "D") == Path("run/20_net_D.pth")
    assert weights_path(Path("run"), prefix_of("latest", 5000), "G") == Path("run/iter_5000_net_G.pth")
