"""A server that misbehaves on purpose."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeVisdom(ThreadingHTTPServer):
    """Answers each request with ``status`` and ``body``; hangs while ``go`` is not set."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, status: int, body: str, *, hangs: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.body = status, body
        self.go, self.asked = threading.Event(), threading.Event()
        if not hangs:
            self.go.set()

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: FakeVisdom

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.set()
        self.server.go.wait(30)
        body = self.server.body.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def fake_visdom(status: int = 200, body: str = "", *, hangs: bool = False) -> Iterator[FakeVisdom]:
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
