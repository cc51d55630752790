"""What the real package of Weights & Biases keeps."""

import io
import json
import math
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from options.errors import UserError
from tests.util.sinks.events import NUMBERS, SHEET, images, scalars, tell_everything
from util.sinks.events import Images
from util.sinks.wandb import WandbSink


@pytest.fixture
def offline_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
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
    from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]  # made when it is imported

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
    dark = np.ones((8, 8, 3), np.uint8)  # older versions stretch its range
    sink.images(Images(1, 0, {**images().images, "dark": dark}))  # test.py begins at image 0
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
    assert np.array_equal(np.asarray(Image.open(run / "files" / rows[0]["dark"]["path"])), dark)
    files = {name: run / "files" / value["path"] for name, value in shown.items()}
    assert np.array_equal(np.asarray(Image.open(files["fake_B"])), images().images["fake_B"])  # gray stays gray
    sheet = np.asarray(Image.open(files["samples"]), dtype=int)
    assert np.abs(sheet - SHEET).max() <= 8  # a JPEG


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


def test_real_wandb_without_a_login_is_refused_at_once(
    offline_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setattr(sys, "stdin", io.StringIO())  # no terminal, so nobody to ask
    with pytest.raises(UserError, match=r"API key.*wandb login"):
        WandbSink(project="p", name="n", options={})


def test_real_wandb_without_a_server_records_the_run_here(
    offline_runs: Path, free_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
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
