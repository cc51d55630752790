"""A server that answers as Visdom does, keeps what it is sent, and misbehaves on purpose."""

import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

HOLD_SECONDS = 10.0  # at most


class Asked(NamedTuple):
    """A request: its path or, of a proxy, its whole address; the JSON that came; when it came, in seconds."""

    path: str
    message: dict[str, Any]
    time: float

    @property
    def endpoint(self) -> str:
        """The last part of the path."""
        return urlsplit(self.path).path.rsplit("/", 1)[-1]


class FakeVisdom(ThreadingHTTPServer):
    """Keeps requests and windows.

    Attributes:
        status, body: of every answer; ``None`` takes what Visdom would answer.
        go: while it is not set, requests are held; those to ``held`` alone, if that is given.
        arrived: set by a request that is held.
        asked: the requests, oldest first; ``answered``: how many of them have got their answer.
        windows: the newest message of each, with all that was appended.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, status: int | None, body: str | None, *, hangs: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = status, body
        self.go, self.arrived = threading.Event(), threading.Event()
        self.held: str | None = None
        self.asked: list[Asked] = []
        self.answered = 0
        self.windows: dict[str, dict[str, Any]] = {}
        self.lock = threading.Lock()
        if not hangs:
            self.go.set()

    @property
    def port(self) -> int:
        return self.server_address[1]

    def behave(self) -> None:
        """Answer as Visdom from now on."""
        self.status = self.body = None
        self.go.set()

    def images(self, window: str) -> list[str]:
        """Return the sources of the images in a window, oldest first."""
        return [item["content"]["src"] for item in self.windows[window]["data"]]

    def handle_error(self, *_: object) -> None:
        """Say nothing when the caller has lost patience."""

    def answer(self, asked: Asked) -> str:
        """Return what Visdom would answer, and keep what it would keep."""
        window, message = asked.message.get("win", ""), asked.message
        if asked.endpoint == "win_exists":
            return "true" if window in self.windows else "false"
        if asked.endpoint == "win_hash":
            known = self.windows.get(window)
            return hashlib.md5(repr(known).encode()).hexdigest() if known else "false"
        if asked.endpoint == "events":
            self.windows[window] = message
        elif asked.endpoint == "update":
            before = self.windows[window]
            self.windows[window] = before | {"data": before["data"] + message["data"]}
        elif asked.endpoint == "win_data" and "data" not in message:
            return json.dumps({"id": window, "content": [item["content"] for item in self.windows[window]["data"]]})
        elif asked.endpoint == "win_data":
            items = [{"type": "image_history", "content": item} for item in json.loads(message["data"])["content"]]
            self.windows[window] = self.windows.get(window, {}) | {"data": items}
        elif asked.endpoint == "close":
            self.windows.pop(window, None)
        elif asked.endpoint == "save":
            return json.dumps(message["data"])
        return window if asked.endpoint in ("events", "update") else ""


class _Handler(BaseHTTPRequestHandler):
    server: FakeVisdom
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer is one packet

    def do_POST(self) -> None:
        server, status = self.server, 200
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        try:
            message = json.loads(text, parse_constant=_refuse)
        except ValueError:  # no page of a browser could read it
            message, status = {"not strict": text}, 500
        asked = Asked(unquote(self.path), message, time.monotonic())
        with server.lock:
            server.asked.append(asked)
        if not server.go.is_set() and server.held in (None, asked.endpoint):
            server.arrived.set()
            server.go.wait(HOLD_SECONDS)
        with server.lock:
            body = server.answer(asked) if server.status is None and server.body is None and status == 200 else ""
            server.answered += 1
            self._send(server.status or status, server.body or body)

    def _send(self, status: int, body: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


@contextmanager
def fake_visdom(status: int | None = None, body: str | None = None, *, hangs: bool = False) -> Iterator[FakeVisdom]:
    """Serve on a free port until the block ends."""
    server = FakeVisdom(status, body, hangs=hangs)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.go.set()
        server.shutdown()
        server.server_close()
