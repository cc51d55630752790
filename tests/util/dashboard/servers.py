"""What tests ask of a server."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import requests

from util.dashboard.server import BackgroundServer

Serve = Callable[..., "subprocess.Popen[str]"]


def wait_for(condition: Callable[..., object], *given: object, seconds: float = 10.0) -> None:
    """Return when the condition, of what is given, has come true."""
    deadline = time.monotonic() + seconds
    while not condition(*given):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def kill(server: BackgroundServer) -> None:
    server.process.kill()
    server.process.wait(10)


def runs(pid: int) -> bool:
    """Tell whether the process is there; a zombie is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def post(port: int, endpoint: str, message: Mapping[str, Any], base_url: str = "") -> str:
    answer = requests.post(f"http://127.0.0.1:{port}{base_url}/{endpoint}", json=dict(message), timeout=5)
    answer.raise_for_status()
    return answer.text


def show(port: int, env: str, text: str) -> None:
    """Put a text in the environment's window ``w``."""
    assert post(port, "events", {"eid": env, "win": "w", "data": [{"type": "text", "content": text}]}) == "w"


def shown(port: int, env: str) -> str | None:
    windows = json.loads(post(port, "win_data", {"eid": env, "win": None}))
    return str(windows["w"]["content"]) if windows else None
