"""The trace of a step: written once, for a browser, and only when asked for."""

import json
from pathlib import Path

from tests.conftest import RunCli


def test_a_training_writes_the_trace_of_its_tenth_step(
    run_cli: RunCli, aligned_root: Path, tiny: list[str], tmp_path: Path
) -> None:
    words = ["--model", "pix2pix", "--netG", "unet_32", "--dataroot", aligned_root, *tiny, "--n_epochs", 4, "--profile"]
    assert run_cli("train", [*words[:-1], "--name", "another"]).code == 0
    assert not list(tmp_path.rglob("step_trace.json")), "without the flag there is none"
    done = run_cli("train", [*words, "--name", "run"])
    assert done.code == 0, done.stderr
    trace = tmp_path / "checkpoints" / "run" / "step_trace.json"
    names = {event.get("name") for event in json.loads(trace.read_text())["traceEvents"]}
    assert {"aten::convolution", "Optimizer.step#AnyOrderAdam.step"} <= names
    assert f"https://ui.perfetto.dev: {Path('checkpoints', 'run', 'step_trace.json')}" in done.stdout
    assert "convolution" in done.stdout.split("a step's time: ")[1].splitlines()[0]
