"""``web/index.html``: the loss curves and the sample images of every epoch, newest first.

The layout of the official code, but only images that exist are listed, also after a resume, and the page reloads
itself gently, so that a reader can scroll. It is rewritten when a training starts and only appended to from then on;
the curves are files of their own.
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from PIL import Image

from util.curves.history import History
from util.curves.svg import loss_charts, text_line
from util.files import Tolerance, whole_file
from util.html_page import GrowingPage, Shown
from util.images import ImageArray, save_image
from util.run_folder import ODD, SAMPLES, image_files, image_path, sample_sheets
from util.sinks.base import RunSoFar, Sink
from util.sinks.events import Images, Samples, Scalars

REFRESH_SECONDS = 30
SECONDS_BETWEEN_DRAWINGS = 5.0
CHART_SIZE = 620, 320
STATUS_FILE = "status.svg"
SAMPLES_CAPTION = "held-out samples"


class HtmlSink(Sink):
    """Write images at each event, list those of a new epoch, and draw the curves when it is worth a reload."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        update_html_freq: int,
        display_winsize: int,
        history: History,
        last_epoch: int = sys.maxsize,
    ) -> None:
        """Describe the page.

        Args:
            folder: ``web`` of a run; gets ``index.html``, drawings and ``images/``; made when the first image comes.
            update_html_freq: images between two drawings at most.
            display_winsize: pixels per image on the page.
            history: reports of the run so far, when it is resumed.
            last_epoch: that the run has trained in; images of later ones are of an older run, and not listed until
                they are replaced.
        """
        self._folder, self._every, self._history = folder, update_html_freq, history
        self._page = GrowingPage(
            folder / "index.html", f"Experiment name = {name}", refresh=REFRESH_SECONDS, width=display_winsize
        )
        self._charts: list[Shown] | None = None  # on the page; None before it is begun
        self._newest = last_epoch  # that the page may list
        self._labels: list[str] = []  # of files, in display order
        self._progress = (history.last.epoch, history.last.images_seen) if history.last else (0, 0)
        self._drawn_at = 0, 0.0  # images seen, seconds
        self._saving, self._listing = Tolerance(folder / "images"), Tolerance(folder)

    @classmethod
    def opened(cls, run: RunSoFar) -> Sink | None:
        """Open it in the run's folder, unless ``--no_html`` says no."""
        log = run.opt.log
        if log.no_html:
            return None
        return cls(
            run.folder / "web",
            name=run.opt.run.name,
            update_html_freq=log.update_html_freq,
            display_winsize=log.display_winsize,
            history=run.history(),
            last_epoch=run.last_epoch,
        )

    def scalars(self, event: Scalars) -> None:
        """Keep the losses, and draw them if it is time."""
        self._history.add(event)
        self._progress = event.epoch, event.images_seen
        if self._charts is not None and self._is_due():
            with self._listing():
                self._draw(self._newest)

    def images(self, event: Images) -> None:
        """Write the images over those of the same epoch."""
        self._labels = [ODD.sub("-", label) for label in event.images]
        self._save(event, {Shown(label, image_path(event.epoch, label)): one for label, one in event.images.items()})

    def samples(self, event: Samples) -> None:
        """Write the sheet over that of the same epoch."""
        height, width = event.sheet.shape[:2]
        shown = Shown(SAMPLES_CAPTION, image_path(event.epoch, SAMPLES, "jpg"), (width, height))
        self._save(event, {shown: event.sheet})

    def close(self) -> None:
        """Draw the last losses."""
        if self._progress != (0, 0):
            with self._listing():
                self._draw(self._newest)

    def _save(self, event: Images | Samples, files: Mapping[Shown, ImageArray]) -> None:
        """Write images and list those that are there now."""
        self._progress = event.epoch, event.images_seen
        written = []
        with self._saving():
            (self._folder / "images").mkdir(parents=True, exist_ok=True)
            for shown, image in files.items():
                save_image(image, self._folder / shown.path)
                written.append(shown)
        self._show(event.epoch, written)

    def _show(self, epoch: int, images: Sequence[Shown]) -> None:
        """Make sure that images which are in the folder are on the page."""
        before, self._newest = min(self._newest, epoch), epoch
        with self._listing():
            if not self._page.exists:
                self._charts = None
            if self._charts is None:
                self._draw(before)
            self._page.add(epoch, images)
            if self._is_due():
                self._draw(epoch)

    def _is_due(self) -> bool:
        images_seen, seconds = self._drawn_at
        return self._progress[1] - images_seen >= self._every or time.monotonic() - seconds > SECONDS_BETWEEN_DRAWINGS

    def _draw(self, newest: int) -> None:
        """Draw curves and status; where the page does not show all of these, begin it anew, up to epoch ``newest``."""
        self._folder.mkdir(parents=True, exist_ok=True)
        drawings = loss_charts(self._history.losses, *CHART_SIZE)
        charts = [Shown(title, f"{title.replace(' ', '_')}.svg") for title in drawings]
        epoch, images_seen = self._progress
        status = f"epoch {epoch}, {images_seen:,} images seen, written {time.strftime('%Y-%m-%d %H:%M:%S')}"
        files = {chart.path: drawings[chart.label] for chart in charts} | {STATUS_FILE: text_line(status)}
        for name, svg in files.items():
            with whole_file(self._folder / name) as file:
                file.write(svg.encode())
        self._drawn_at = images_seen, time.monotonic()
        if charts != self._charts:
            self._charts = None  # if it fails
            self._page.begin(status=STATUS_FILE, charts=charts, epochs=self._existing(newest))
            self._charts = charts

    def _existing(self, newest: int) -> Iterator[tuple[int, list[Shown]]]:
        """Yield what the folder holds of the epochs up to the newest, oldest first."""
        images: dict[int, list[tuple[str, str]]] = {}
        for epoch, label, path in image_files(self._folder.parent):
            images.setdefault(epoch, []).append((label, path.name))
        sheets = dict(sample_sheets(self._folder.parent))
        place = {label: index for index, label in enumerate(self._labels)}
        for epoch in sorted(images.keys() | sheets.keys()):
            if epoch > newest:
                return
            row = sorted(images.get(epoch, []), key=lambda item: (place.get(item[0], len(place)), item[0]))
            yield epoch, [Shown(label, f"images/{name}") for label, name in row]
            if epoch in sheets:
                yield epoch, _sheet(sheets[epoch])


def _sheet(path: Path) -> list[Shown]:
    """Return a sheet with its size, or nothing where the file is no image."""
    with suppress(OSError), Image.open(path) as image:
        return [Shown(SAMPLES_CAPTION, f"images/{path.name}", image.size)]
    return []
