"""What tests ask of a server."""

import json
import os
import subprocess
import time
from collections.abc import Callable

import requests

Serve = Callable[..., "subprocess.Popen[str]"]


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def runs(pid: int) -> bool:
    """Tell whether the process is there; a zombie is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def post(port: int, endpoint: str, message: dict, base_url: str = "") -> str:
    answer = requests.post(f"http://127.0.0.1:{port}{base_url}/{endpoint}", json=message, timeout=5)
    answer.raise_for_status()
    return answer.text


def show(port: int, env: str, text: str) -> None:
    """Put a text in the environment's window ``w``."""
    assert post(port, "events", {"eid": env, "win": "w", "data": [{"type": "text", "content": text}]}) == "w"


def shown(port: int, env: str) -> str | None:
    windows = json.loads(post(port, "win_data", {"eid": env, "win": None}))
    return windows["w"]["content"] if windows else None
