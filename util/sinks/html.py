"""``web/index.html``: the loss curves and the sample pictures of every epoch, newest first.

The layout of the official code, but only pictures that exist are listed, also after a resume, and the
page reloads itself gently, so that a reader can scroll.
"""

import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from util.html_page import HtmlPage
from util.images import save_picture
from util.sinks import Pictures, Scalars, Sink
from util.sinks.curves import loss_charts
from util.sinks.tolerance import Tolerance

REFRESH_SECONDS = 30
SECONDS_BETWEEN_PAGES = 5.0
FILE_NAME = re.compile(r"epoch(\d{3,})_(.+)\.png")


class HtmlSink(Sink):
    """Write pictures at each event, and the page when there is something worth a reload."""

    def __init__(
        self,
        folder: Path,
        *,
        name: str,
        update_html_freq: int,
        display_winsize: int,
        history: Sequence[Scalars] = (),
    ) -> None:
        """Describe the page.

        Args:
            folder: gets ``index.html`` and ``images/``; made when the first picture comes.
            update_html_freq: images between rewritten pages at most.
            display_winsize: pixels per picture on the page.
            history: reports of the run so far, when it is resumed.
        """
        self._folder = folder
        self._name = name
        self._every = update_html_freq
        self._winsize = display_winsize
        self._history = list(history)
        self._tolerance = Tolerance(folder)
        self._labels: list[str] = []  # display order
        self._shown: Pictures | None = None  # the event that the page was last written at
        self._newest: Pictures | None = None
        self._written_at = 0.0  # seconds

    def scalars(self, event: Scalars) -> None:
        """Keep the losses for the next page."""
        self._history.append(event)

    def images(self, event: Pictures) -> None:
        """Write the pictures over those of the same epoch."""
        self._labels = list(event.pictures)
        self._newest = event
        with self._tolerance():
            (self._folder / "images").mkdir(parents=True, exist_ok=True)
            for label, picture in event.pictures.items():
                save_picture(picture, self._folder / picture_path(event.epoch, file_label(label)))
            if self._is_due(event):
                self._write_page(event)

    def close(self) -> None:
        """Write the page with the last losses."""
        if self._newest is not None or self._history:
            with self._tolerance():
                self._folder.mkdir(parents=True, exist_ok=True)
                self._write_page(self._newest)

    def _is_due(self, event: Pictures) -> bool:
        return (
            self._shown is None
            or event.epoch != self._shown.epoch
            or event.images_seen - self._shown.images_seen >= self._every
            or time.monotonic() - self._written_at > SECONDS_BETWEEN_PAGES
        )

    def _write_page(self, event: Pictures | None) -> None:
        page = HtmlPage(f"Experiment name = {self._name}", refresh=REFRESH_SECONDS)
        page.text(_status(self._history, event))
        page.curves(loss_charts(self._history, 620, 320))
        newest = self._newest.epoch if self._newest else sys.maxsize  # later ones are of an older run
        for epoch, labels in sorted(self._existing().items(), reverse=True):
            if epoch > newest:
                continue
            page.header(f"epoch {epoch}")
            row = [(label, picture_path(epoch, label)) for label in self._in_order(labels)]
            page.pictures(row, self._winsize)
        page.save(self._folder / "index.html")
        self._shown, self._written_at = event, time.monotonic()

    def _existing(self) -> dict[int, list[str]]:
        """Return the labels of each epoch that has pictures in the folder."""
        found: dict[int, list[str]] = {}
        images = self._folder / "images"
        for file_name in sorted(os.listdir(images)) if images.is_dir() else []:
            if match := FILE_NAME.fullmatch(file_name):
                found.setdefault(int(match[1]), []).append(match[2])
        return found

    def _in_order(self, labels: list[str]) -> list[str]:
        order = {file_label(label): index for index, label in enumerate(self._labels)}
        return sorted(labels, key=lambda label: (order.get(label, len(order)), label))


def picture_path(epoch: int, label: str) -> str:
    """Return where a picture lies, relative to the page."""
    return f"images/epoch{epoch:03d}_{label}.png"


def file_label(label: str) -> str:
    """Return a label as it stands in a file name: ``real_A`` as it is, odd characters as ``-``."""
    return re.sub(r"[^\w.-]", "-", label)


def _status(history: Sequence[Scalars], event: Pictures | None) -> str:
    seen = max([item.images_seen for item in history[-1:]] + [event.images_seen if event else 0])
    epoch = max([item.epoch for item in history[-1:]] + [event.epoch if event else 0])
    return f"epoch {epoch}, {seen:,} images seen, written {time.strftime('%Y-%m-%d %H:%M:%S')}"
