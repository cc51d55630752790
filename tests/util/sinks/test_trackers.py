"""Weights & Biases and TensorBoard are optional: what happens without them, and what the real ones keep."""

import io
import json
import logging
import math
import os
import struct
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from options.errors import UserError
from tests.util.sinks.events import images, scalars
from util.distributed import World
from util.progress import Progress
from util.sinks import Recorder, Sink
from util.sinks.events import Images, Samples, Scalars, Scores
from util.sinks.tensorboard import TensorBoardSink
from util.sinks.wandb import WandbSink

SHEET = np.tile(np.arange(0, 240, 2, dtype=np.uint8)[None, :, None], (40, 1, 3))
NUMBERS = {
    "loss/G": 0.5,
    "accuracy/D_real": 0.75,
    "epoch": 1.0,
    "learning_rate": 2e-4,
    "seconds": 0.311,
    "data_seconds": 0.0,
    "memory": 1.5,
    "held_out/validation": 21.5,
    "held_out/variety_G": 0.9,
}


def tell_everything(sink: Sink, number: int = 4, **losses: float) -> None:
    """Tell what happens at one step, in the order in which a training does; it is at 100 images times ``number``."""
    report = scalars(number, **(losses or {"G": 0.5}))._replace(accuracies={"D_real": 0.75}, memory=1.5 * 2**30)
    where = report.epoch, report.images_seen
    sink.scalars(report)
    sink.images(images(*where))
    sink.scores(Scores(report.epoch, report.position, report.images_seen, {"validation": 21.5, "variety_G": 0.9}))
    sink.samples(Samples(*where, SHEET))


def test_without_wandb_the_message_says_what_to_type(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(UserError, match="pip install wandb"):
        WandbSink(project="p", name="n", options={})


def test_without_tensorboard_the_message_says_what_to_type(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UserError, match="pip install tensorboard"):
        TensorBoardSink(tmp_path)


# Weights & Biases, by a stand-in


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


@pytest.fixture
def wandb_that(monkeypatch) -> Callable[..., FakeWandb]:
    """Install a stand-in for the package."""

    def install(*failures: Exception, **settings: int) -> FakeWandb:
        fake = FakeWandb(*failures, **settings)
        monkeypatch.setitem(sys.modules, "wandb", fake)
        for name in ("WANDB_INIT_TIMEOUT", "WANDB_FINISH_TIMEOUT"):
            monkeypatch.setenv(name, "1")
        return fake

    return install


@pytest.mark.parametrize("failure", [OSError, ConnectionAbortedError, ValueError], ids=["error", "login", "settings"])
def test_wandb_that_does_not_start_is_a_sentence(wandb_that, failure: type[Exception]) -> None:
    wandb_that(failure("no\nAPI key"))
    with pytest.raises(UserError, match=r"no API key.*wandb login.*WANDB_MODE=offline"):
        WandbSink(project="p", name="n", options={})


def test_where_the_server_of_wandb_does_not_answer_the_run_is_recorded_offline(wandb_that, caplog) -> None:
    fake = wandb_that(ConnectionError("refused"))
    WandbSink(project="p", name="n", options={})
    assert [settings.get("mode") for settings in fake.started] == [None, "offline"]
    assert "refused" in caplog.text
    assert "wandb sync /w/offline-1" in caplog.text


def test_a_disk_that_refuses_the_offline_run_of_wandb_is_a_sentence(wandb_that) -> None:
    wandb_that(ConnectionError("refused"), OSError("disk full"))
    with pytest.raises(UserError, match="disk full"):
        WandbSink(project="p", name="n", options={})


def test_wandb_waits_as_long_as_the_user_wants(wandb_that, monkeypatch) -> None:
    wandb_that()
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "77")
    monkeypatch.setenv("WANDB_FINISH_TIMEOUT", "")  # restored at the end of the test
    monkeypatch.delenv("WANDB_FINISH_TIMEOUT")
    WandbSink(project="p", name="n", options={})
    assert os.environ["WANDB_INIT_TIMEOUT"] == "77"
    assert os.environ["WANDB_FINISH_TIMEOUT"] == "120"


def test_a_resumed_training_goes_on_with_its_run_of_wandb(wandb_that, tmp_path: Path) -> None:
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
def test_any_other_start_is_a_new_run_of_wandb(wandb_that, tmp_path: Path, project, name, resume_at, kept) -> None:
    fake, id_file = wandb_that(), tmp_path / "wandb_run_id.txt"
    WandbSink(project="p", name="n", options={}, id_file=id_file)
    if kept:
        id_file.write_bytes(kept)
    WandbSink(project=project, name=name, options={}, id_file=id_file, resume_at=resume_at)
    assert "id" not in fake.started[1]
    assert "id2" in id_file.read_text()


def test_what_wandb_has_already_is_not_sent_again(wandb_that, tmp_path: Path, caplog) -> None:
    fake = wandb_that(starting_step=301)
    caplog.set_level(logging.INFO)
    sink = WandbSink(project="p", name="n", options={}, id_file=tmp_path / "id", resume_at=200)
    sink.scalars(scalars(3))
    sink.images(images(1, 300))
    sink.scalars(scalars(4))
    assert [step for step, _ in fake.logged] == [400]
    assert "up to image 300" in caplog.text


def test_a_tracker_that_raises_does_not_end_the_training(wandb_that, monkeypatch, caplog) -> None:
    fake = wandb_that()
    with Recorder([WandbSink(project="p", name="n", options={})], World(0, 1, torch.device("cpu"))) as recorder:
        monkeypatch.setattr(fake, "Image", None)
        recorder.images(Progress(images_seen=100), {"real": torch.zeros(1, 3, 8, 8)})
        recorder.scores(Progress(images_seen=100), {"validation": 1.0})
    assert caplog.text.count("WandbSink is switched off") == 1
    assert fake.logged == []


# Weights & Biases, the real package


@pytest.fixture
def offline_runs(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    """The folder of runs of the real package, which writes nowhere else and says nothing."""
    wandb = pytest.importorskip("wandb")
    wandb.teardown()  # the package reads its environment once
    for name in ("DIR", "CONFIG_DIR", "CACHE_DIR", "DATA_DIR", "ARTIFACT_DIR"):
        monkeypatch.setenv(f"WANDB_{name}", str(tmp_path))
    for name, value in (("SILENT", "true"), ("MODE", "offline"), ("INIT_TIMEOUT", "20"), ("FINISH_TIMEOUT", "20")):
        monkeypatch.setenv(f"WANDB_{name}", value)
    for name in ("API_KEY", "BASE_URL", "RUN_ID", "PROJECT"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
    yield tmp_path / "wandb"
    wandb.teardown()


def history(run: Path) -> dict[int, dict[str, Any]]:
    """Read the rows of an offline run by step, from its log: a log of LevelDB with a header of seven bytes."""
    import wandb
    from wandb.proto.wandb_internal_pb2 import Record

    wandb.teardown()  # a run that is finished is on the disk only soon after
    (path,) = run.glob("*.wandb")
    data, position, whole = path.read_bytes(), 7, b""
    rows: dict[int, dict[str, Any]] = {}
    while position + 7 <= len(data):
        if (left := 32768 - position % 32768) < 7:
            position += left
            continue
        size, kind = struct.unpack_from("<4xHB", data, position)
        whole += data[position + 7 : position + 7 + size]
        position += 7 + size
        if kind in (1, 4):  # whole, or the last part
            row: dict[str, Any] = {}
            for item in Record.FromString(whole).history.item:
                name, *inner = item.nested_key or [item.key]
                value = json.loads(item.value_json)
                row[name] = row.get(name, {}) | {inner[0]: value} if inner else value
            if row:
                rows[row["_step"]] = row
            whole = b""
    return rows


def test_real_wandb_keeps_everything_of_a_step_in_one_row(offline_runs: Path) -> None:
    sink = WandbSink(project="p", name="h2z<b>$x", options={"lr": 0.1, "size": math.inf})
    sink.images(Images(1, 0, images().images))  # test.py begins at image 0
    tell_everything(sink, 4)
    tell_everything(sink, 8, G=math.nan)
    sink.close()
    (run,) = offline_runs.glob("offline-run-*")
    rows = history(run)
    assert list(rows) == [0, 400, 800]
    row = {name: value for name, value in rows[400].items() if not name.startswith("_")}
    shown = {name: row.pop(name) for name in ("real_A", "fake_B", "samples")}
    assert row == pytest.approx(NUMBERS)
    assert math.isnan(rows[800]["loss/G"])
    files = {name: run / "files" / value["path"] for name, value in shown.items()}
    assert np.array_equal(np.asarray(Image.open(files["fake_B"])), images().images["fake_B"])  # gray stays gray
    sheet = np.asarray(Image.open(files["samples"]), dtype=int)
    assert np.abs(sheet - SHEET).max() <= 8  # a JPEG


def test_real_wandb_does_not_stretch_a_dark_image(offline_runs: Path) -> None:
    sink, dark = WandbSink(project="p", name="n", options={}), np.ones((8, 8, 3), np.uint8)
    sink.images(Images(1, 100, {"dark": dark}))
    sink.close()
    (path,) = offline_runs.glob("offline-run-*/files/media/images/dark*.png")
    assert np.array_equal(np.asarray(Image.open(path)), dark)


def test_real_wandb_resumes_offline_under_the_same_id(offline_runs: Path, tmp_path: Path) -> None:
    id_file = tmp_path / "wandb_run_id.txt"
    for number, resume_at in ((4, 0), (8, 400)):
        sink = WandbSink(project="p", name="n", options={}, id_file=id_file, resume_at=resume_at)
        sink.scalars(scalars(number))
        sink.close()
    run_id = id_file.read_text().split("\n")[-1]
    assert {path.name for path in offline_runs.rglob("*.wandb")} == {f"run-{run_id}.wandb"}
    rows: dict[int, Any] = {}
    for run in offline_runs.glob("offline-run-*"):
        rows |= history(run)
    assert set(rows) == {400, 800}


def test_real_wandb_without_a_login_is_refused_at_once(offline_runs: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no terminal, so nobody to ask
    with pytest.raises(UserError, match=r"API key.*wandb login"):
        WandbSink(project="p", name="n", options={})


def test_real_wandb_without_a_server_records_the_run_here(
    offline_runs: Path, free_port: int, monkeypatch, caplog
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("WANDB_INIT_TIMEOUT", "1")
    sink = WandbSink(project="p", name="n", options={})
    sink.scalars(scalars(4))
    sink.close()
    (run,) = offline_runs.glob("offline-run-*")
    assert set(history(run)) == {400}
    assert f"wandb sync {run}" in caplog.text


# TensorBoard, the real package


def read_back(folder: Path) -> Any:
    """Return what TensorBoard shows of a folder."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder), size_guidance={"scalars": 0, "images": 0})
    return events.Reload()


@pytest.fixture
def tensorboard_folder(tmp_path: Path) -> Path:
    pytest.importorskip("tensorboard")
    return tmp_path / "tensorboard"


def test_tensorboard_shows_everything_at_the_images_seen(tensorboard_folder: Path) -> None:
    sink = TensorBoardSink(tensorboard_folder)
    tell_everything(sink)
    sink.close()
    events = read_back(tensorboard_folder)
    found = {tag: [(event.step, event.value) for event in events.Scalars(tag)] for tag in events.Tags()["scalars"]}
    assert {tag: values for tag, [(_, values)] in found.items()} == pytest.approx(NUMBERS)
    assert {step for [(step, _)] in found.values() for step in [step]} == {400}
    shown = {tag: events.Images(tag) for tag in events.Tags()["images"]}
    assert set(shown) == {"real_A", "fake_B", "samples"}
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(shown["samples"][0].encoded_image_string))), SHEET)
    assert {event.step for [event] in shown.values()} == {400}


@pytest.mark.parametrize(("resume_at", "steps"), [(200, [100, 200, 300]), (400, [100, 200, 300, 400, 300]), (0, [300])])
def test_after_a_resume_tensorboard_shows_no_later_step_of_before(
    tensorboard_folder: Path, resume_at: int, steps: list[int]
) -> None:
    first = TensorBoardSink(tensorboard_folder)
    for number in range(1, 5):
        first.scalars(scalars(number))
    first.close()
    again = TensorBoardSink(tensorboard_folder, resume_at=resume_at)
    again.scalars(scalars(3))
    again.close()
    assert [event.step for event in read_back(tensorboard_folder).Scalars("loss/G_A")] == steps


def test_without_a_known_memory_there_is_no_curve_of_it(tensorboard_folder: Path) -> None:
    sink = TensorBoardSink(tensorboard_folder)
    sink.scalars(Scalars(1, 0.5, 100, 100, {"G": 1.0}, 1e-3, 0.1, 0.0))
    sink.close()
    assert "memory" not in read_back(tensorboard_folder).Tags()["scalars"]
