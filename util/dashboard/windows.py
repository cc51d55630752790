"""What the dashboard consists of: every window, whole, with its size and place.

Windows are replaced instead of added to: on a long run that is far cheaper, and a server that was restarted is
complete again. The server places them row by row in the order in which they are first shown.
"""

import base64
import io
from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image

from util.curves.history import History
from util.dashboard.plots import BAR, LARGE, WIDTH, Chart, charts, window_names
from util.dashboard.saved import Sheets
from util.dashboard.status import RunInfo, status_html
from util.images import ImageArray, jpeg
from util.sheet import in_rows, sheet
from util.sinks.events import Images

if TYPE_CHECKING:
    from util.dashboard.client import Client

IMAGES_WIDTH, SAMPLES_HEIGHT = 700, 640  # pixels at most
MIN_WIDTH = 256  # of an image in a window of its own
SLIDER = 56  # pixels
NOT_YET = '<p style="color: #777; font: 14px sans-serif; padding: 12px">The first ones come with --display_freq.</p>'


class Layout(NamedTuple):
    """How windows are named and filled.

    ``window_id`` begins the name of each window, so that several runs can share an environment, and ``prefix`` its
    title. ``columns`` are images in a row; 0 or less gives each of the current images a window of its own.
    """

    window_id: int
    prefix: str
    columns: int


class View(NamedTuple):
    """What is to be shown at one moment."""

    history: History
    signals: list[str]  # see ``Health``
    warning: str  # the newest of the log
    images: Images | None  # of the current training image
    sheets: Sheets | None  # of the held-out samples; None if they are switched off
    closed: bool  # the training has ended


class Windows:
    """The windows of one run in its environment."""

    def __init__(self, client: "Client", info: RunInfo, layout: Layout) -> None:
        """Prepare them; nothing is sent yet."""
        self._client, self._info = client, info
        self._id, self._prefix, self._columns = layout
        self._forget()

    def _forget(self) -> None:
        self._version, self._sent, self._digest = 0, 0, ""  # of the sheets that the server has
        self._current: Images | None = None
        self._reserved: set[str] = set()

    def are_lost(self) -> bool:
        """Ask whether the server has forgotten this run, as after a restart."""
        return not self._client.has_window(self._name("status"))

    def show(self, view: View, *, whole: bool) -> None:
        """Send what has changed, or everything."""
        if whole:
            self._forget()
        html = status_html(self._info, view.history, view.signals, warning=view.warning, closed=view.closed)
        self._show("status", {"data": [{"type": "text", "content": html}]}, self._info.name, (WIDTH, LARGE))
        found = charts(view.history, self._info.gan_mode)
        if whole:  # others may be there of an older run of this name
            shown = {chart.window for chart in found}
            shown |= {"samples"} if view.sheets and view.sheets.items else set()
            current = set(self._current_names(view.images))
            others = {f"current-{label}" for label in view.images.images} if view.images else set()
            self._remove({*window_names(), "samples", "current", *others} - shown - current)
        if found or view.images:  # the windows are placed in the order in which they come
            self._show_charts([chart for chart in found if chart.height == LARGE])
            self._show_samples(view)
            self._show_current(view)
            self._show_charts([chart for chart in found if chart.height != LARGE])
        if view.closed:
            self._remove(self._reserved)

    def _remove(self, windows: set[str]) -> None:
        for window in windows:
            self._client.remove(self._name(window))

    def _show_charts(self, found: list[Chart]) -> None:
        for chart in found:
            self._show(chart.window, chart.figure, chart.title, (WIDTH, chart.height))

    def _show_samples(self, view: View) -> None:
        """Send the sheets that the server lacks; its window has a slider over all of them."""
        if view.sheets is None or not view.sheets.items:
            if view.sheets is not None and not view.closed:
                self._reserve("samples", "Held-out samples", SLIDER)
            return
        if self._sent == len(view.sheets.items) and view.sheets.version == self._version:
            return
        changed = bool(self._sent) and self._client.digest(self._name("samples")) != self._digest
        if changed or view.sheets.version != self._version:
            self._version, self._sent = view.sheets.version, 0
        name, images = self._name("samples"), [_image(item) for item in view.sheets.items]
        if not self._sent:
            with Image.open(io.BytesIO(view.sheets.items[0])) as image:
                scale = min(IMAGES_WIDTH / image.width, SAMPLES_HEIGHT / image.height)
                size = round(image.width * scale), round(image.height * scale) + BAR + SLIDER
            content = {"data": [{"type": "image_history", "content": images[0]}]}
            self._show("samples", content, "Held-out samples", size)
            if len(images) > 1:
                self._client.fill(name, images[:-1])
            self._sent = max(1, len(images) - 1)
        for shown in images[self._sent :]:
            self._client.append(name, {"data": [{"type": "image_history", "content": shown}]})
            self._sent += 1
        self._digest = self._client.digest(self._name("samples"))
        self._reserved.discard("samples")

    def _show_current(self, view: View) -> None:
        """Send the images of the current training image, unless the server has them."""
        event = view.images
        if event is None or event is self._current:
            if event is None and not view.closed and self._columns > 0:
                self._reserve("current", "Current training image", 0)
            return
        caption = f"epoch {event.epoch}, {event.images_seen:,} images seen"
        if self._columns > 0:
            grid = sheet(in_rows(event.images, self._columns), caption, width=IMAGES_WIDTH)
            self._show_image("current", "Current training image", grid)
            self._reserved.discard("current")
        else:
            for label, image in event.images.items():
                alone = sheet([{label: image}], caption, width=max(MIN_WIDTH, image.shape[1]))
                self._show_image(f"current-{label}", label, alone)
        self._current = event

    def _current_names(self, event: Images | None) -> list[str]:
        if event is None:
            return []
        return ["current"] if self._columns > 0 else [f"current-{label}" for label in event.images]

    def _show_image(self, window: str, title: str, image: ImageArray) -> None:
        content = {"data": [{"type": "image", "content": _image(jpeg(image))}]}
        self._show(window, content, title, (image.shape[1], image.shape[0] + BAR))

    def _reserve(self, window: str, title: str, extra: int) -> None:
        """Keep a place for images that are still to come."""
        if window not in self._reserved:
            self._show(window, {"data": [{"type": "text", "content": NOT_YET}]}, title, (IMAGES_WIDTH, 360 + extra))
            self._reserved.add(window)

    def _show(self, window: str, content: dict[str, Any], title: str, size: tuple[int, int]) -> None:
        self._client.show(self._name(window), content, title=f"{self._prefix}{title}", size=size)

    def _name(self, window: str) -> str:
        return f"{self._id}-{window}"


def _image(data: bytes) -> dict[str, str]:
    return {"src": f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"}
