"""The tab for several images."""

import itertools
import zipfile
from pathlib import Path
from typing import Any

import gradio as gr

from inference.app.choosing import Choosing
from inference.app.components import Sent, spoken, who
from inference.app.previews import THUMBNAIL, preview
from inference.app.service import Order, Service
from inference.app.store import safe_name
from inference.writing import encoded
from options.errors import UserError


class Batch:
    """Translates one after the other; others have their turns in between."""

    def __init__(self, service: Service, choosing: Choosing) -> None:
        self._service, self._choosing, self._store = service, choosing, service.store

    async def translate(
        self,
        run: str,
        direction: str,
        size: str,
        sent: list[Sent],
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  # how Gradio knows that it is wanted
    ) -> tuple[Any, ...]:
        """Return small images of the translations, a ZIP file of them, and words about what did not work."""
        with spoken():
            if not sent:
                raise UserError("there are no images yet; drop some")
            if len(sent) > self._service.limits.files:
                raise UserError(
                    f"these are {len(sent)} images; at most {self._service.limits.files} are taken together"
                )
            order = self._choosing.order(who(request), run, direction, size)
            archive = self._store.new(f"{order.run}_{order.direction}.zip")
            images: list[tuple[str, str]] = []
            complaints: list[str] = []
            for number, one in enumerate(sent):
                progress((number, len(sent)), desc=one.name, unit="images")
                try:
                    images.append(await self._one(order, one, archive))
                except UserError as error:
                    complaints.append(f"- {error}")
            if not images:
                raise UserError(f"none of them could be translated: {complaints[0][2:]}")
        words = f"{len(images)} of {len(sent)} translated" + (":" if complaints else "")
        return (
            gr.update(value=images, visible=True),
            gr.update(value=str(archive), visible=True),
            "\n".join([words, "", *complaints]),
        )

    async def _one(self, order: Order, sent: Sent, archive: Path) -> tuple[str, str]:
        def work() -> tuple[str, tuple[str, str]]:
            done = self._service.translate(order, sent.read(self._store), sent.name)
            stem = safe_name(Path(sent.name).stem)
            limits = done.translator.way(done.direction).kind(done.given.header).limits
            shown = preview(done.made.raster, limits, self._store, stem, longest=2 * THUMBNAIL)
            content, suffix = encoded(done.made.raster, done.given.header)
            return done.told, (str(shown), add_file(archive, stem, suffix, content))

        return await self._service.do(order, "batch", work, patient=True)


def add_file(archive: Path, stem: str, suffix: str, content: bytes) -> str:
    """Add a file to a ZIP archive, with a number where its name is taken; return the name in there."""
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as file:  # images are compressed already
        taken = set(file.namelist())
        names = (f"{stem}{end}{suffix}" for end in ("", *(f"_{n}" for n in range(2, len(taken) + 3))))
        name = next(itertools.filterfalse(taken.__contains__, names))
        file.writestr(name, content)
    return name
