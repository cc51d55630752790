"""Two processes, started by torchrun on the CPU, keep one dashboard."""

import json
import os
from pathlib import Path

import pytest

from tests.images import write_unaligned
from tests.launching import torchrun
from tests.util.dashboard.servers import kill, post
from tests.util.dashboard.sinks_under_test import drawn, windows
from util.dashboard.server import start_background
from util.sinks.events import Scalars, read_events

pytest.importorskip("visdom")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="torchrun")]


def test_two_processes_keep_one_dashboard(
    tiny: list[str], free_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NPM_CONFIG_REGISTRY", "http://127.0.0.1:9")  # no server may change the installed visdom
    monkeypatch.chdir(tmp_path)
    write_unaligned(tmp_path / "images", phases={"train": 6})
    server = start_background(free_port, env_path=tmp_path / "envs")
    try:
        flags = f"--netG resnet_1blocks --name both --gpu_ids -1 --display_id 1 --display_port {free_port}"
        run = torchrun("--dataroot", "images", *tiny, *flags.split())
        said = run.communicate(timeout=100)[0]
        assert run.returncode == 0, said
        url = f"http://localhost:{free_port}/env/both"
        assert [line for line in said.splitlines() if "dashboard" in line] == [
            f"Visdom dashboard: {url}",
            f"Visdom dashboard saved: {url}",
        ]
        environments = json.loads(post(free_port, "env_state", {}))
        shown = windows(free_port, "both")
    finally:
        kill(server)
    assert sorted(environments) == ["both", "main"]
    titles = [window["title"] for window in shown.values()]
    assert len(set(titles)) == len(titles) == len(shown)
    assert {"1-status", "1-gan", "1-samples", "1-current"} <= set(shown)
    events = read_events(tmp_path / "checkpoints" / "both" / "metrics.jsonl")
    reported = [event.position for event in events if isinstance(event, Scalars)]
    assert len(reported) == 3, "one for each step of both"
    assert drawn(shown["1-gan"]["content"]["data"], "G_A")[0] == pytest.approx(reported, rel=1e-5)
    assert len(shown["1-samples"]["content"]) == said.count("\n(epoch:"), "one for each step: every 2 images"
    assert "both</div>" in shown["1-status"]["content"]
    assert "finished" in shown["1-status"]["content"]
