"""Weights & Biases is optional: what happens without it, and how a stand-in for it is used."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from options.errors import UserError
from tests.util.sinks.events import images, scalars
from util.distributed import World
from util.progress import Progress
from util.sinks.recorder import Recorder
from util.sinks.wandb import WandbSink


def test_without_wandb_the_message_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        WandbSink(project="p", name="n", options={})


class FakeWandb(SimpleNamespace):
    """The package as a server that knows one run sees it."""

    def __init__(self, *failures: Exception, starting_step: int = 0) -> None:
        errors = SimpleNamespace(Error=OSError, CommError=ConnectionError, AuthenticationError=ConnectionAbortedError)
        super().__init__(started=[], logged=[], failures=list(failures), first=starting_step, errors=errors)

    def init(self, **settings: object) -> SimpleNamespace:
        self.started.append(settings)
        if self.failures:
            raise self.failures.pop(0)
        run_id = settings.get("id", f"id{len(self.started)}")
        return SimpleNamespace(id=run_id, dir="/w/offline-1/files", starting_step=self.first, log=self.log, finish=list)

    def log(self, values: dict[str, object], step: int) -> None:
        self.logged.append((step, set(values)))

    def Image(self, image: Image.Image, **_: str) -> Image.Image:
        return image


WandbThat = Callable[..., FakeWandb]


@pytest.fixture
def wandb_that(monkeypatch: pytest.MonkeyPatch) -> WandbThat:
    """Install a stand-in for the package."""

    def install(*failures: Exception, **settings: int) -> FakeWandb:
        fake = FakeWandb(*failures, **settings)
        monkeypatch.setitem(sys.modules, "wandb", fake)
        for name in ("WANDB_INIT_TIMEOUT", "WANDB_FINISH_TIMEOUT"):
            monkeypatch.setenv(name, "1")
        return fake

    return install


@pytest.mark.parametrize(
    "failures",
    [(OSError,), (ConnectionAbortedError,), (ValueError,), (ConnectionError, OSError)],
    ids=["error", "login", "settings", "full disk offline"],
)
def test_wandb_that_does_not_start_is_a_sentence(wandb_that: WandbThat, failures: tuple[type[Exception], ...]) -> None:
    wandb_that(*(failure("no\nAPI key") for failure in failures))
    with pytest.raises(UserError, match=r"no API key.*wandb login.*WANDB_MODE=offline"):
        WandbSink(project="p", name="n", options={})


def test_where_the_server_of_wandb_does_not_answer_the_run_is_recorded_offline(
    wandb_that: WandbThat, caplog: pytest.LogCaptureFixture
) -> None:
    fake = wandb_that(ConnectionError("refused"))
    WandbSink(project="p", name="n", options={})
    assert [settings.get("mode") for settings in fake.started] == [None, "offline"]
    assert "refused" in caplog.text
    assert "wandb sync /w/offline-1" in caplog.text


def test_wandb_waits_as_long_as_the_user_wants(wandb_that: WandbThat, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb_that()
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "77")
    monkeypatch.setenv("WANDB_FINISH_TIMEOUT", "")  # restored at the end of the test
    monkeypatch.delenv("WANDB_FINISH_TIMEOUT")
    WandbSink(project="p", name="n", options={})
    assert os.environ["WANDB_INIT_TIMEOUT"] == "77"
    assert os.environ["WANDB_FINISH_TIMEOUT"] == "120"


def test_a_resumed_training_goes_on_with_its_run_of_wandb(wandb_that: WandbThat, tmp_path: Path) -> None:
    fake, id_file = wandb_that(), tmp_path / "wandb_run_id.txt"
    WandbSink(project="p", name="n", options={}, id_file=id_file)
    WandbSink(project="p", name="n", options={}, id_file=id_file, resume_at=300)
    WandbSink(project="p", name="n", options={}, id_file=id_file, resume_at=400)
    assert [(s.get("id"), s.get("resume")) for s in fake.started] == [(None, None), ("id1", "allow"), ("id1", "allow")]
    assert list(tmp_path.iterdir()) == [id_file]


@pytest.mark.parametrize(
    ("project", "name", "resume_at", "kept"),
    [("p", "n", 0, None), ("p", "copy", 300, None), ("q", "n", 300, None), ("p", "n", 300, b"\xff\x00torn")],
    ids=["a new training", "a copied folder", "another project", "a damaged file"],
)
def test_any_other_start_is_a_new_run_of_wandb(
    wandb_that: WandbThat, tmp_path: Path, project: str, name: str, resume_at: int, kept: bytes | None
) -> None:
    fake, id_file = wandb_that(), tmp_path / "wandb_run_id.txt"
    WandbSink(project="p", name="n", options={}, id_file=id_file)
    if kept:
        id_file.write_bytes(kept)
    WandbSink(project=project, name=name, options={}, id_file=id_file, resume_at=resume_at)
    assert "id" not in fake.started[1]
    assert "id2" in id_file.read_text()


def test_what_wandb_has_already_is_not_sent_again(
    wandb_that: WandbThat, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fake = wandb_that(starting_step=301)
    caplog.set_level(logging.INFO)
    sink = WandbSink(project="p", name="n", options={}, id_file=tmp_path / "id", resume_at=200)
    sink.scalars(scalars(3))
    sink.images(images(1, 300))
    sink.scalars(scalars(4))
    assert [step for step, _ in fake.logged] == [400]
    assert "up to image 300" in caplog.text


def test_a_tracker_that_raises_does_not_end_the_training(
    wandb_that: WandbThat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fake = wandb_that()
    with Recorder([WandbSink(project="p", name="n", options={})], World(0, 1, torch.device("cpu"))) as recorder:
        monkeypatch.setattr(fake, "Image", None)
        recorder.images(Progress(images_seen=100), {"real": torch.zeros(1, 3, 8, 8)})
        recorder.scores(Progress(images_seen=100), {"validation": 1.0})
    assert caplog.text.count("WandbSink is switched off") == 1
    assert fake.logged == []
