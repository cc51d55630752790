"""Two processes, started by torchrun on the CPU, keep one dashboard."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from tests.images import an_image, write
from tests.util.dashboard.servers import post
from tests.util.dashboard.sinks_under_test import drawn, windows
from util.dashboard.server import start_background
from util.sinks.events import Scalars
from util.sinks.jsonl import read_events

pytest.importorskip("visdom")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="torchrun")


def test_two_processes_keep_one_dashboard(tiny: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")  # no server may change the installed visdom
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for number in range(6):
        for side in "AB":
            write(an_image(number + 20 * ord(side)), tmp_path / "images" / f"train{side}" / f"{number}.png")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = start_background(port, env_path=tmp_path / "envs")
    try:
        start = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
        flags = f"--netG resnet_1blocks --name both --gpu_ids -1 --display_id 1 --display_port {port}"
        words = [str(PROJECT / "train.py"), "--dataroot", str(tmp_path / "images"), *tiny, *flags.split()]
        done = subprocess.run([*start, *words], cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        url = f"http://localhost:{port}/env/both"
        assert [line for line in done.stdout.splitlines() if "dashboard" in line] == [
            f"Visdom dashboard: {url}",
            f"Visdom dashboard saved: {url}",
        ]
        environments = json.loads(post(port, "env_state", {}))
        shown = windows(port, "both")
    finally:
        server.process.kill()
        server.process.wait(10)
    assert sorted(environments) == ["both", "main"]
    titles = [window["title"] for window in shown.values()]
    assert len(set(titles)) == len(titles) == len(shown)
    assert {"1-status", "1-gan", "1-samples", "1-current"} <= set(shown)
    events = read_events(tmp_path / "checkpoints" / "both" / "metrics.jsonl")
    reported = [event.position for event in events if isinstance(event, Scalars)]
    assert len(reported) == 3, "one for each step of both"
    assert drawn(shown["1-gan"]["content"]["data"], "G_A")[0] == pytest.approx(reported, rel=1e-5)
    assert len(shown["1-samples"]["content"]) == done.stdout.count("\n(epoch:"), "one for each step: every 2 images"
    assert "both</div>" in shown["1-status"]["content"]
    assert "finished" in shown["1-status"]["content"]
