"""``app.py`` as typed."""

import importlib.metadata
import importlib.util
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from options.app import Login, parse_app, parse_login
from options.errors import UserError
from tests.conftest import PROJECT, RunCli
from tests.inference.app.conftest import Serve
from tests.refusals import refused


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--host 0.0.0.0", "--host 0.0.0.0 opens the page to the network; add --login USER:PASSWORD, or --no_login"),
        ("--host example.org", "--host example.org opens the page to the network"),
        ("--login me:x --no_login", "--login and --no_login contradict each other"),
        ("--port 0", "--port 0 is outside 1 to 65535; without the flag it is 7860"),
        ("--port 70000", "--port 70000 is outside 1 to 65535"),
        ("--max_upload much", "--max_upload 'much' is no amount; give 500K, 50M or 2G for example"),
        ("--max_pixels -5", "--max_pixels"),
        ("--max_waiting 0", "--max_waiting 0 is too small"),
        ("--keep_minutes 0.1", "--keep_minutes 0.1 is too small"),
        ("--shiny", "unrecognized arguments: --shiny"),
        ("--login me", "--login needs a user and a password; give USER:PASSWORD, or USER with APP_PASSWORD="),
        ("--device cuda:77", "no cuda:77"),
        ("nowhere", "there is no run nowhere or"),
    ],
)
def test_a_mistake_is_one_sentence(words: str, sentence: str, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("APP_PASSWORD", raising=False)
    typed = words.split()
    done = run_cli("app", typed if "--device" in typed else [*typed, "--device", "cpu"])
    refused(done, re.escape(sentence))
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("spec", "sentence"), [(None, "the package gradio; pip install gradio"), ("x", "gradio 6 or newer, not 5.9; pip")]
)
def test_a_missing_or_old_package_is_named(
    spec: str | None, sentence: str, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "5.9")
    refused(run_cli("app", ["--device", "cpu"]), f"app.py: error: app.py needs {sentence}")


@pytest.mark.parametrize(
    ("flag", "whom"), [("--no_login", "everybody in the network"), ("--login=me:x", "me with the password")]
)
def test_a_page_in_the_network_says_to_whom_it_is_open(
    flag: str, whom: str, run_cli: RunCli, serve: Serve, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.app.server.run_server", lambda app, place: None)
    done = run_cli("app", ["--device", "cpu", "--host", "0.0.0.0", "--port", free_port, flag])
    assert f"it is open to {whom}; passwords and images travel unencrypted" in done.stdout


def test_an_address_that_cannot_be_had_is_told(run_cli: RunCli, serve: Serve) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run_cli("app", ["--device", "cpu", "--port", port])
    refused(done, f"port {port} is taken by another program; pass another one, --port {port + 1}")
    done = run_cli("app", ["--device", "cpu", "--host", "192.0.2.1", "--no_login"])  # another machine's
    refused(done, r"cannot listen on --host 192.0.2.1 --port 7860 \(.+\); pass others")


def test_flags_and_runs_may_be_mixed() -> None:
    opt = parse_app(["one", "--no_login", "two", "--host", "0.0.0.0", "--max_upload", "1.5K", "--max_pixels", "2M"])
    assert (opt.runs, opt.upload_bytes, opt.pixels) == (("one", "two"), 1536, 2_000_000)


def test_the_password_may_come_from_the_environment() -> None:
    assert parse_login("me:a:b", {}) == Login("me", "a:b")
    assert parse_login("me", {"APP_PASSWORD": "secret"}) == Login("me", "secret")
    assert parse_login("", {"APP_PASSWORD": "secret"}) is None
    for text in ("me:", ":secret"):
        with pytest.raises(UserError, match="--login needs a user and a password"):
            parse_login(text, {})


def test_it_serves_until_ctrl_c_and_leaves_nothing(
    serve: Serve, runs_place: Path, tmp_path: Path, free_port: int
) -> None:
    words = ["--device", "cpu", "--checkpoints_dir", str(runs_place), "--port", str(free_port)]
    command, environment = [sys.executable, str(PROJECT / "app.py"), *words], os.environ | {"TMPDIR": str(tmp_path)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == "runs: cg, p2p\n"
    assert process.stdout.readline() == f"the page: http://127.0.0.1:{free_port} (Ctrl-C ends it)\n"
    with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/runs", timeout=30) as answer:
        assert [run["run"] for run in json.load(answer)] == ["cg", "p2p"]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "\napp.py: stopped\n")
    assert list(tmp_path.iterdir()) == []
