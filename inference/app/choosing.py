"""The choice of a run and of a direction, and what there is to see of a run."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import gradio as gr

from inference.app.examples import Example, find_examples
from inference.app.previews import THUMBNAIL, shown
from inference.app.runs import Run, Stamp
from inference.app.service import Order, Service
from options.data import Range
from options.errors import UserError
from util.raster.reading import read_header
from util.run_folder import image_files, sample_sheets

log = logging.getLogger(__name__)

Update = dict[str, Any]  # what Gradio takes to change a component
Images = list[tuple[str, str]]  # path and caption

OWN, TRAINING = "own", "training"
ARROWS = {"AtoB": "A -> B", "BtoA": "B -> A"}
MOST_SAMPLES = 48  # images of each kind, the newest
TRAIN = "python train.py --model cycle_gan --dataroot ./datasets/horse2zebra --name horse2zebra"


class Choosing:
    """Looks at the runs, not at their weights; so it never waits for a translation."""

    def __init__(self, service: Service, examples: int) -> None:
        self._service, self._runs, self._count = service, service.runs, examples

    def order(self, visitor: str, run: str, direction: str, size: str) -> Order:
        """Return what a visitor asks for.

        Raises:
            UserError: there is no such run or direction.
        """
        found = self._runs.find(run)
        way = self._runs.direction(found, direction)
        return Order(visitor, found.name, way, found.load_size() if size == TRAINING else 0)

    def arrive(self, name: str) -> tuple[Any, ...]:
        """Return what a visitor sees first: the runs there are, and a run that is chosen; ``name`` if it is there."""
        names = [run.name for run in self._runs.all()]
        chosen = name if name in names else next(iter(names), "")
        return (gr.update(choices=names, value=chosen or None), *self.choose(chosen))

    def choose(self, name: str) -> tuple[Update, ...]:
        """Return what there is to choose for a run; see ``layout`` for the order."""
        ways: list[str] = []
        sizes, notice = [("the image's own", OWN)], ""
        try:
            run = self._runs.find(name)
            ways = run.directions()
            if not ways:
                notice = (
                    f"**{run.name} has saved no weights yet.** A training saves every `--save_latest_freq` images; "
                    "reload the page then."
                )
            elif size := run.load_size():
                sizes.append((f"{size} pixels, as in training", TRAINING))
        except UserError:
            notice = self._advice()
        return (
            gr.update(choices=[(ARROWS[way], way) for way in ways], value=next(iter(ways), None), visible=bool(ways)),
            gr.update(choices=sizes, value=OWN, visible=len(sizes) > 1),
            gr.update(visible=len(ways) > 1),
            gr.update(value=notice, visible=bool(notice)),
            gr.update(interactive=bool(ways)),
            gr.update(interactive=bool(ways)),
        )

    def examples(self, name: str, direction: str) -> Update:
        """Return small images of the run's own data set."""
        shown = [(str(image), str(number)) for number, (_, image) in enumerate(self.found(name, direction), 1)]
        update: Update = gr.update(value=shown, visible=bool(shown))
        return update

    def found(self, name: str, direction: str) -> list[tuple[Example, Path]]:
        """Return the examples with their small images; none where the run or its data are gone."""
        run, way = self._known(name, direction)
        if run is None:
            return []
        drawn = [
            (example, self._thumbnail(example, run, way)) for example in _examples(run, way, self._count, run.stamp())
        ]
        return [(example, image) for example, image in drawn if image]

    def limits(self, name: str, direction: str) -> tuple[Range | None, Range | None]:
        """Return the values that are black and white in what a direction starts from, and in what it makes."""
        run, way = self._known(name, direction)
        return (run.limits(way[0]), run.limits(way[-1])) if run else (None, None)

    def samples(self, name: str) -> tuple[Update, Update, Update]:
        """Return the sheets of held-out samples and the training's images by epoch, newest first, and a word."""
        try:
            run = self._runs.find(name)
        except UserError:
            return (gr.update(value=[], visible=False),) * 2 + (gr.update(value=self._advice(), visible=True),)
        sheets = [(path, f"epoch {epoch}") for epoch, path in reversed(sample_sheets(run.folder))]
        images = sorted(image_files(run.folder), key=lambda image: -image[0])
        others = [(path, f"epoch {epoch}: {label}") for epoch, label, path in images]
        galleries = [self._copied(kind[:MOST_SAMPLES]) for kind in (sheets, others)]
        word = "" if sheets or others else f"{run.name} has no images of its training."
        updates = [gr.update(value=gallery, visible=bool(gallery)) for gallery in galleries]
        return updates[0], updates[1], gr.update(value=word, visible=bool(word))

    def _known(self, name: str, direction: str) -> tuple[Run | None, str]:
        """Return a run and a direction of it; what is wrong with them is told when an image is translated."""
        try:
            run = self._runs.find(name)
            return run, self._runs.direction(run, direction)
        except UserError:
            return None, ""

    def _copied(self, images: Sequence[tuple[Path, str]]) -> Images:
        copies = []
        for path, caption in images:
            try:
                copies.append((str(self._service.store.copy(path)), caption))
            except OSError as error:  # the training has just deleted it
                log.debug("%s is gone: %s", path, error)
        return copies

    def _thumbnail(self, example: Example, run: Run, way: str) -> Path | None:
        """Return a small image of an example; None if it cannot be read, or is too large."""
        try:
            header = read_header(example.path)
            if header.width * header.height > self._service.limits.pixels:
                return None
            return self._service.store.made_of(
                Path(example.path),
                f"thumbnail {example.half}",
                f"{run.name}_example.png",
                lambda path: shown(example.image(), run.limits(way[0]), THUMBNAIL).save(path, "PNG"),
            )
        except (UserError, OSError) as error:
            log.info("no example: %s", error)
            return None

    def _advice(self) -> str:
        if self._runs.all():
            return "**This run is gone.** Reload the page to see those that are here."
        empty = self._runs.still_empty()
        if empty:
            return (
                f"**There is nothing to choose yet.** {', '.join(empty[:5])} will be here as soon as its training has "
                "saved weights; reload the page then."
            )
        return f"**There is no trained run here yet.** Train one, then reload the page: `{TRAIN}`"


@lru_cache(maxsize=64)
def _examples(run: Run, direction: str, count: int, stamp: Stamp) -> tuple[Example, ...]:
    """Look for examples; once more when the run has changed (``stamp``)."""
    return tuple(find_examples(run.options(), direction, count))
