"""The tab for one image."""

import asyncio
import logging
import time
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np
from PIL import Image

from inference.app.choosing import ARROWS, Choosing, Update
from inference.app.components import Sent, spoken, who
from inference.app.examples import Example
from inference.app.previews import preview
from inference.app.service import Order, Service, Translation, printable
from inference.app.uploads import checked_header, described, read_image
from inference.writing import write_image
from options.data import Range
from options.errors import UserError
from util.raster.kinds import Header
from util.raster.reading import read_header

log = logging.getLogger(__name__)

IN_BROWSERS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
LONGEST_STEM = 60  # characters of a name that others are made of


class Kept(NamedTuple):
    """An image that no browser shows, and the file that is shown in its place."""

    shown: str
    original: Sent


class Single:
    """What happens when somebody uses it."""

    def __init__(self, service: Service, choosing: Choosing) -> None:
        self._service, self._choosing, self._store = service, choosing, service.store

    async def inspect(
        self, run: str, direction: str, sent: Sent | None, truth: Sent | None, partner: str, request: gr.Request
    ) -> tuple[Any, Any, Kept | None, Update]:
        """Look at the header of an image that has just come: is it one, and not too large?

        Args:
            truth: the true image that is shown.
            partner: that of the last example, which does not belong to another image.

        Returns:
            What to show in its place and as the true image, the image if another one is shown, and words about it.
        """
        still = None if truth and str(truth.path) == partner else gr.skip()
        if sent is None:
            return gr.skip(), still, None, _about("")
        try:
            data = await asyncio.to_thread(sent.read, self._store)
            header = checked_header(data, sent.name, self._service.limits)
            kept = await self._kept(sent, header, self._choosing.limits(run, direction)[0])
            return kept.shown if kept else gr.skip(), still, kept, _about(f"{sent.name}: {described(header)}")
        except UserError as error:
            log.info("%s upload: refused: %s", who(request), printable(str(error)))
            return None, still, None, _about(f"**Not taken:** {error}")

    async def take_example(
        self, run: str, direction: str, event: gr.SelectData
    ) -> tuple[str, str | None, str, Kept | None, Update]:
        """Take one of the images of the data set.

        Returns:
            What to show of it and of its partner, the latter once more, the image if another one is shown, and words.
        """
        with spoken():
            examples = self._choosing.found(run, direction)
            index = event.index if isinstance(event.index, int) else -1
            if not 0 <= index < len(examples):
                raise UserError("this example is gone; reload the page")
            limits, of_truth = self._choosing.limits(run, direction)
            sent, truth = await asyncio.to_thread(self._written, examples[index][0], of_truth)
            header = read_header(sent.path)
            kept = await self._kept(sent, header, limits)
        shown = kept.shown if kept else str(sent.path)
        return shown, truth or None, truth, kept, _about(f"{sent.name}: {described(header)}")

    async def translate(
        self,
        run: str,
        direction: str,
        size: str,
        round_trip: bool,
        image: Sent | None,
        truth: Sent | None,
        kept: Kept | None,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Translate the image; see ``layout`` for the order of what is returned."""
        began = time.monotonic()
        with spoken():
            if image is None:
                raise UserError("there is no image yet; drop or paste one, take one, or choose an example")
            sent = kept.original if kept and kept.shown == str(image.path) else image
            order = self._choosing.order(who(request), run, direction, size)
            work = partial(self._views, order, sent, truth, round_trip=bool(round_trip))
            # Gradio's queue has let it through
            *views, words = await self._service.do(order, "page", work, patient=True)
        seconds = time.monotonic() - began
        return (*views, f"{order.run}, {ARROWS[order.direction]}: {words}; {seconds:.1f} seconds")

    async def _kept(self, sent: Sent, header: Header, limits: Range | None) -> Kept | None:
        """Draw what to show of an image that browsers do not show; None for others."""
        if header.file_format in IN_BROWSERS:
            return None

        def draw() -> Path:
            image = read_image(sent.read(self._store), sent.name, self._service.limits)
            return preview(image.raster, limits, self._store, sent.path.stem)

        return Kept(str(await asyncio.wrap_future(self._service.queue.submit(draw))), sent)

    def _written(self, example: Example, of_truth: Range | None) -> tuple[Sent, str]:
        """Put an example among the files of visitors; return it, and what to show of its partner if it has one."""
        path = Path(example.path)
        if example.half is None:
            copy = self._store.copy(path)
        else:
            copy = write_image(example.image(), self._store.new(path.stem), read_header(path))
        truth = example.partner()
        shown = str(preview(truth, of_truth, self._store, f"{path.stem}_true")) if truth else ""
        return Sent(copy, path.name), shown

    def _views(self, order: Order, sent: Sent, truth: Sent | None, *, round_trip: bool) -> tuple[str, tuple[Any, ...]]:
        """Translate and write, in the thread of the queue; return a word for the log, and what to show."""
        data, stem = sent.read(self._store), sent.path.stem[:LONGEST_STEM]
        done = self._service.translate(order, data, sent.name, round_trip=round_trip)
        result = write_image(done.made.raster, self._store.new(f"{stem}_{done.direction}"), done.given.header)
        given, made, back = self._previews(done, stem)
        limits = done.translator.way(done.direction).target_limits
        true = self._truth(truth, Path(made), limits) if truth else None
        return done.told, (
            gr.update(visible=True),
            gr.update(visible=False),
            given,
            made,
            gr.update(value=back, visible=back is not None),
            gr.update(value=true, visible=true is not None),
            (given, made),
            gr.update(value=(made, true) if true else None, visible=true is not None),
            gr.update(value=str(result), label=f"Download {result.suffix[1:].upper()}"),
            described(done.made.header),
        )

    def _previews(self, done: Translation, stem: str) -> tuple[str, str, str | None]:
        way = done.translator.way(done.direction)
        given = preview(done.given.raster, way.limits, self._store, f"{stem}_shown")
        made = preview(done.made.raster, way.kind(done.given.header).limits, self._store, f"{stem}_{way.name}_shown")
        if done.back is None:
            return str(given), str(made), None
        limits = done.translator.way(way.other_way).kind(done.made.header).limits
        return str(given), str(made), str(preview(done.back.raster, limits, self._store, f"{stem}_back"))

    def _truth(self, sent: Sent, like: Path, limits: Range | None) -> str:
        """Return what to show of the true image, as large as the translation is shown."""
        true = read_image(sent.read(self._store), sent.name, self._service.limits)
        if true.header.dtype == np.uint8:  # such as that of an example, drawn already
            limits = None
        shown = preview(true.raster, limits, self._store, f"{sent.path.stem[:LONGEST_STEM]}_true")
        with Image.open(like) as other, Image.open(shown) as image:
            if image.size != other.size:
                image.resize(other.size, Image.Resampling.BICUBIC).save(shown)
        return str(shown)


def _about(words: str) -> Update:
    update: Update = gr.update(value=words, visible=bool(words))
    return update
