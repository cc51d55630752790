"""A browser without a screen, led by the DevTools protocol, and what it shows of the dashboard."""

import base64
import io
import itertools
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

PROGRAM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking --disable-breakpad "
    "--no-first-run --window-size=1500,1800 --remote-debugging-port=0"
)
PORT_FILE = "DevToolsActivePort"  # its first line is the port, its second one the path of the browser's web socket
LONGEST = 20.0  # seconds that anything may take
TICK = 0.05  # seconds
PANES = """[...document.querySelectorAll(".window")].map(pane => {
    const box = part => { const r = part.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom] }
    const slider = pane.querySelector("input[type=range]"), plot = pane.querySelector(".js-plotly-plot")
    const images = [...pane.querySelectorAll(".content img")]
    return {
        title: pane.querySelector(".bar > div").innerText,
        text: pane.querySelector(".content").innerText,
        lines: pane.querySelectorAll(".scatterlayer .trace path.js-line").length,
        curves: Object.fromEntries((plot?.data ?? []).map(trace => [trace.name, trace.x])),
        heights: plot?.layout.yaxis.range ?? [],
        sizes: images.map(image => [image.naturalWidth, image.naturalHeight]),
        slider: slider && [Number(slider.value), Number(slider.max)],
        box: box(pane),
        parts: [...images, slider].filter(Boolean).map(box),
    }
})"""


class Pane(NamedTuple):
    """A window of the dashboard.

    Attributes:
        lines: how many Plotly has drawn.
        curves: where on the x axis the points of each trace are, by name.
        heights: ends of the y axis.
        sizes: width and height of each image, pixels; zeros where it could not be decoded.
        slider: its value and the largest possible one.
        box: left, top, right, bottom on the page, pixels.
        parts: such boxes of the images, then of the slider.
    """

    title: str
    text: str
    lines: int
    curves: dict[str, list[float]]
    heights: list[float]
    sizes: list[list[int]]
    slider: list[int] | None
    box: list[float]
    parts: list[list[float]]

    @property
    def content(self) -> tuple[Any, ...]:
        """All but the places."""
        return self[:-2]


class Page:
    """The one page of a browser.

    Attributes:
        errors: what its scripts did not catch or complained of, since the last visit.
        asked: every address that it asked for anything, since the last visit.
    """

    def __init__(self, socket: Any) -> None:  # Any: a WebSocket, of a package that is optional
        self.errors: list[str] = []
        self.asked: list[str] = []
        self._socket, self._numbers = socket, itertools.count(1)
        for domain in ("Page", "Runtime", "Network"):
            self._command(f"{domain}.enable")

    def visit(self, url: str) -> None:
        """Load a page, also one that is shown already."""
        self._command("Page.navigate", url="about:blank")
        self.errors.clear()
        self.asked.clear()
        answer = self._command("Page.navigate", url=url)
        assert "errorText" not in answer, answer
        self.wait_for("location.href != 'about:blank' && document.readyState == 'complete'")

    def ask(self, script: str) -> Any:
        """Return the value of a JavaScript expression."""
        answer = self._command("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, script: str) -> None:
        """Return when a JavaScript expression is true."""
        deadline = time.monotonic() + LONGEST
        while not self.ask(script):
            assert time.monotonic() < deadline, f"{script} did not come true; the page says: {self.text()}"
            time.sleep(TICK)

    def text(self) -> str:
        """Return what can be read."""
        return str(self.ask("document.body.innerText"))

    def panes(self) -> dict[str, Pane]:
        """Return the windows of the dashboard by title, in the order in which they came."""
        found = [Pane(**values) for values in self.ask(PANES)]
        assert len({pane.title for pane in found}) == len(found)
        return {pane.title: pane for pane in found}

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of what a CSS selector finds."""
        middle = "part.scrollIntoView({block: 'center'}); const r = part.getBoundingClientRect(); "
        middle += "return [(r.left + r.right) / 2, (r.top + r.bottom) / 2]"
        x, y = self.ask(f"(part => {{ {middle} }})(document.querySelector({json.dumps(selector)}))")
        for kind in ("mousePressed", "mouseReleased"):
            self._command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def attach(self, selector: str, *paths: Path) -> None:
        """Give files to the input that a CSS selector finds, as if they had been chosen."""
        found = self._command("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        files = [str(path.resolve()) for path in paths]
        self._command("DOM.setFileInputFiles", files=files, objectId=found["result"]["objectId"])

    def download_to(self, folder: Path) -> None:
        """Let downloads arrive in a folder without a question."""
        self._command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder.resolve()))

    def resize(self, width: int, height: int) -> None:
        """Show the page as on a screen of this size, pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self._command("Emulation.setDeviceMetricsOverride", **size)

    def image(self) -> Image.Image:
        """Return what is to be seen without scrolling."""
        data = self._command("Page.captureScreenshot")["data"]
        return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")

    def _command(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; what happened meanwhile is noted."""
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while (message := json.loads(self._socket.recv())).get("id") != number:
            self._note(message["method"], message["params"])
        assert "result" in message, message
        return dict(message["result"])

    def _note(self, event: str, details: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown" or (event == "Runtime.consoleAPICalled" and details["type"] == "error"):
            self.errors.append(json.dumps(details))
        if event == "Network.requestWillBeSent":
            self.asked.append(details["request"]["url"])


@contextmanager
def browser(profile: Path) -> Iterator[Page]:
    """Run a browser while the body runs; ``profile`` is a folder that it makes."""
    import websocket  # comes with visdom, which is optional

    profile.mkdir()
    command = [str(PROGRAM), *FLAGS.split(), f"--user-data-dir={profile}", "about:blank"]
    with (profile / "log").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        address = _address(profile, process)
        with closing(websocket.create_connection(address, timeout=LONGEST, suppress_origin=True)) as socket:
            yield Page(socket)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with the helpers that it has started
        process.wait()


def _address(profile: Path, process: "subprocess.Popen[bytes]") -> str:
    """Return the address of the page's web socket as soon as the browser has one."""
    said, deadline = profile / PORT_FILE, time.monotonic() + LONGEST
    while not (said.exists() and "\n" in said.read_text()):
        lives = process.poll() is None and time.monotonic() < deadline
        assert lives, f"{PROGRAM} does not start: {(profile / 'log').read_text()}"
        time.sleep(TICK)
    port = said.read_text().splitlines()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=LONGEST) as answer:
        return str(next(target["webSocketDebuggerUrl"] for target in json.load(answer) if target["type"] == "page"))
