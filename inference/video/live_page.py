"""A page of this machine that shows images as they are made: motion JPEG, which every browser plays in an image."""

import io
import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
from PIL import Image

from inference.video.threads import Newest
from options.errors import UserError
from util.raster.kinds import Levels

HOST = "127.0.0.1"  # nobody else sees the camera
QUALITY = 85
SECONDS = 2.0  # over which the rate is measured
SLOWEST = 10.0  # seconds that a watcher may take for an image
BOUNDARY = b"--image"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Live translation</title>
<style>
body { margin: 0; background: #111; color: #ccc; font: 16px/1.5 system-ui, sans-serif; text-align: center }
img { max-width: 100%; max-height: calc(100vh - 3em); image-rendering: auto }
</style></head>
<body><img src="/stream" alt="The camera's image on the left, its translation on the right">
<div id="rate">waiting for the camera</div>
<script>
setInterval(async () => {
    const line = document.getElementById("rate")
    try {
        const state = await (await fetch("/state")).json()
        line.textContent = `${state.frames_per_second.toFixed(1)} frames per second, ${state.width} x ${state.height}`
    } catch { line.textContent = "ended" }
}, 1000)
</script></body></html>
"""


class LivePage:
    """Serves the page while it is entered.

    Args:
        port: 0 takes any that is free.

    Raises:
        UserError: on entering, the port is taken.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self.images: Newest[bytes] = Newest()
        self._times: deque[float] = deque()
        self._size = (0, 0)

    def __enter__(self) -> "LivePage":
        try:
            self._server = _Server((HOST, self._port), _Handler)
        except (OSError, OverflowError) as error:
            reason = f"the port {self._port} cannot be had ({error})"
            raise UserError(f"{reason}; pass another one, such as --port 8099") from error
        self._server.page = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.images.end()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        """Where to look."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    def show(self, given: Levels, made: Levels) -> None:
        """Show an image and its translation side by side; H x W x 3 of uint8 both."""
        self._size = given.shape[1], given.shape[0]
        now = time.monotonic()
        self._times.append(now)
        while now - self._times[0] > SECONDS:
            self._times.popleft()
        file = io.BytesIO()
        Image.fromarray(np.concatenate([given, made], 1)).save(file, "JPEG", quality=QUALITY)
        self.images.put(file.getvalue())

    def state(self) -> dict[str, float]:
        """Return the rate of the last seconds, and the size of the camera's image."""
        times = list(self._times)
        span = times[-1] - times[0] if times else 0.0
        rate = (len(times) - 1) / span if span else 0.0
        return {"frames_per_second": rate, "width": self._size[0], "height": self._size[1]}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    page: LivePage

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a watcher went away."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = SLOWEST

    def do_GET(self) -> None:
        """Answer with the page, its state or the images."""
        host = self.headers.get("Host", "").rpartition(":")[0]
        if host not in (HOST, "localhost"):  # a foreign page whose name was led to this machine
            self.send_error(403)
        elif self.path == "/":
            self._answer("text/html; charset=utf-8", PAGE.encode())
        elif self.path == "/state":
            self._answer("application/json", json.dumps(self.server.page.state()).encode())
        elif self.path == "/stream":
            self._stream()
        else:
            self.send_error(404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the library
        """Say nothing."""

    def _answer(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        """Send image after image; who is slow gets fewer."""
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY[2:].decode()}")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(BOUNDARY)
        seen = 0
        while (found := self.server.page.images.after(seen)) is not None:
            seen, image = found
            head = f"\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n"
            self.wfile.write(head.encode() + image + b"\r\n" + BOUNDARY)  # which is when browsers show it
        self.wfile.write(b"--\r\n")
