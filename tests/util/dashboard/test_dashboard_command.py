"""The command line ``python -m util.dashboard``."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PROJECT
from util.dashboard.__main__ import main


def test_a_port_that_is_taken_is_one_sentence_and_exit_code_2(taken_port: int, envs: Path) -> None:
    command = [sys.executable, "-m", "util.dashboard", "--port", str(taken_port), "--env_path", str(envs)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"no server on port {taken_port}" in done.stderr
    assert "Address already in use" in done.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--port many", "'many' is not a number from 1 to 65535"),
        ("serve --port 65536", "'65536' is not a number from 1 to 65535"),
        ("serv", "invalid choice: 'serv' (choose from"),
        ("--prot 8097", "unrecognized arguments: --prot"),
        ("--base_url http://me", "--base_url 'http://me' is not the path of a page"),
        ("serve --login", "--login needs VISDOM_PASSWORD in the environment"),
        ("files --from nowhere", "nowhere is not a folder"),
        ("replay", "RUN"),
        ("replay nowhere", "there is no metrics.jsonl in nowhere or checkpoints/nowhere; pass a run"),
        ("replay nowhere --display_port 99999", "99999"),
        ("replay nowhere --display_server ftp://x", "--display_server ftp://x is no address"),
        (f"--env_path {__file__}", "Not a directory"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(
    words: str, sentence: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", sys.modules.get("torch"))  # the command keeps it out of its process
    monkeypatch.setenv("VISDOM_USERNAME", "me")
    monkeypatch.delenv("VISDOM_PASSWORD", raising=False)
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert said.startswith("python -m util.dashboard: error: ")
    assert sentence in said
    assert said.count("\n") == 1


def test_without_visdom_it_is_said_what_to_type(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert main(["files"]) == 2
    assert re.search("visdom cannot be imported .*; type: .*pip install", capsys.readouterr().err)


def test_a_download_can_be_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("util.dashboard.browser_files.fetch", interrupt)
    assert main(["files"]) == 130
    assert capsys.readouterr().err == "python -m util.dashboard: stopped\n"


@pytest.mark.parametrize("words", [["--help"], ["serve", "-h"], ["files", "--help"]])
def test_help_is_for_those_who_ask(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 0
    assert "--background" not in capsys.readouterr().out


def test_importing_it_imports_nothing_that_is_slow_or_optional() -> None:
    code = (
        "import sys; import util.dashboard.__main__, util.dashboard.server, util.dashboard.browser_files; "
        "print([name for name in ('visdom', 'tornado', 'requests', 'torch', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "[]", done.stderr
