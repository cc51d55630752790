"""The tab for several images."""

import itertools
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from inference.app.components import Sent
from inference.app.previews import THUMBNAIL, preview
from inference.app.service import Order, Service
from inference.app.single import Single
from inference.app.visitor import contents, spoken, who
from inference.writing import write_image
from options.errors import UserError


class _Done(NamedTuple):
    """One image of several."""

    told: str
    shown: Path
    name: str


class Batch:
    """Translates one after the other; others have their turns in between."""

    def __init__(self, service: Service, single: Single) -> None:
        self._service, self._single, self._store = service, single, service.store

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
            order = self._single.order(who(request), run, direction, size)
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
        def work() -> _Done:
            done = self._service.translate(order, contents(sent, self._store), sent.name)
            stem = Path(sent.name).stem
            made = write_image(done.made.raster, self._store.new(stem), done.given.header)
            limits = done.translator.way(done.direction).kind(done.given.header).limits
            shown = preview(done.made.raster, limits, self._store, stem, longest=2 * THUMBNAIL)
            name = add_file(archive, made)
            self._store.drop(made)
            return _Done(done.told, shown, name)

        done = await self._service.do(order, "batch", work, patient=True)
        return str(done.shown), done.name


def add_file(archive: Path, path: Path) -> str:
    """Add a file to a ZIP archive, with a number where its name is taken; return the name in there."""
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_STORED) as file:  # images are compressed already
        taken = set(file.namelist())
        names = (f"{path.stem}{end}{path.suffix}" for end in ("", *(f"_{n}" for n in range(2, len(taken) + 3))))
        name = next(itertools.filterfalse(taken.__contains__, names))
        file.write(path, name)
    return name
