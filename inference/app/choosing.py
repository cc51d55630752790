"""The choice of a run and of a direction, and what there is to see of a run."""

import logging
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from inference.app.examples import Example, find_examples
from inference.app.previews import THUMBNAIL, shown
from inference.app.runs import Run, Runs, Stamp
from inference.app.service import Service
from options.data import Range
from options.errors import UserError
from util.raster.header import read_header
from util.run_folder import image_files, sample_sheets

log = logging.getLogger(__name__)

Update = dict[str, Any]  # what Gradio takes to change a component
Images = list[tuple[str, str]]  # path and caption

OWN, TRAINING = "own", "training"
ARROWS = {"AtoB": "A -> B", "BtoA": "B -> A"}
MOST_SAMPLES = 48  # images of each kind, the newest
TRAIN = "python train.py --model cycle_gan --dataroot ./datasets/horse2zebra --name horse2zebra"


class Chosen(NamedTuple):
    """What changes on the page with the run."""

    directions: Update
    sizes: Update
    round_trip: Update
    notice: Update
    go: Update
    go_batch: Update


class Choosing:
    """Looks at the runs, not at their weights; so it never waits for a translation."""

    def __init__(self, service: Service, examples: int) -> None:
        self._service, self._count = service, examples

    @property
    def runs(self) -> Runs:
        """The runs."""
        return self._service.runs

    def arrive(self, name: str) -> tuple[Any, ...]:
        """Return what a visitor sees first: the runs there are, and a run that is chosen; ``name`` if it is there."""
        names = [run.name for run in self.runs.all()]
        chosen = name if name in names else next(iter(names), "")
        return (gr.update(choices=names, value=chosen or None), *self.choose(chosen))

    def choose(self, name: str) -> Chosen:
        """Return what there is to choose for a run."""
        try:
            run = self.runs.find(name)
        except UserError:
            return self._nothing(self._advice())
        there = run.directions()
        if not there:
            return self._nothing(
                f"**{run.name} has saved no weights yet.** A training saves every `--save_latest_freq` images; "
                "reload the page then."
            )
        size = run.load_size()
        sizes = [("the image's own", OWN), (f"{size} pixels, as in training", TRAINING)][: 2 if size else 1]
        return Chosen(
            gr.update(choices=[(ARROWS[way], way) for way in there], value=there[0], visible=True),
            gr.update(choices=sizes, value=OWN, visible=len(sizes) > 1),
            gr.update(visible=len(there) > 1),
            gr.update(value="", visible=False),
            gr.update(interactive=True),
            gr.update(interactive=True),
        )

    def examples(self, name: str, direction: str) -> Update:
        """Return small images of the run's own data set."""
        shown = [(str(image), str(number)) for number, (_, image) in enumerate(self.found(name, direction), 1)]
        update: Update = gr.update(value=shown, visible=bool(shown))
        return update

    def found(self, name: str, direction: str) -> list[tuple[Example, Path]]:
        """Return the examples with their small images; none where the run or its data are gone."""
        try:
            run = self.runs.find(name)
            way = self.runs.direction(run, direction)
        except UserError:
            return []
        drawn = [
            (example, self._thumbnail(example, run, way)) for example in _examples(run, way, self._count, run.stamp())
        ]
        return [(example, image) for example, image in drawn if image]

    def limits(self, name: str, direction: str) -> tuple[Range | None, Range | None]:
        """Return the values that are black and white in what a direction starts from, and in what it makes."""
        try:
            run = self.runs.find(name)
            way = self.runs.direction(run, direction)
        except UserError:  # told when it is translated
            return None, None
        return run.limits(way[0]), run.limits(way[-1])

    def samples(self, name: str) -> tuple[Update, Update, Update]:
        """Return the sheets of held-out samples and the training's images by epoch, newest first, and a word."""
        try:
            run = self.runs.find(name)
        except UserError:
            return (gr.update(value=[], visible=False),) * 2 + (gr.update(value=self._advice(), visible=True),)
        sheets = [(path, f"epoch {epoch}") for epoch, path in reversed(sample_sheets(run.folder))]
        images = sorted(image_files(run.folder), key=lambda image: -image[0])
        others = [(path, f"epoch {epoch}: {label}") for epoch, label, path in images]
        galleries = [self._copied(kind[:MOST_SAMPLES]) for kind in (sheets, others)]
        word = "" if sheets or others else f"{run.name} has no images of its training."
        updates = [gr.update(value=gallery, visible=bool(gallery)) for gallery in galleries]
        return updates[0], updates[1], gr.update(value=word, visible=bool(word))

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
        empty = self.runs.still_empty()
        if empty:
            return (
                f"**There is nothing to choose yet.** {', '.join(empty[:5])} will be here as soon as its training has "
                "saved weights; reload the page then."
            )
        return f"**There is no trained run here yet.** Train one, then reload the page: `{TRAIN}`"

    def _nothing(self, text: str) -> Chosen:
        hidden, still = gr.update(visible=False), gr.update(interactive=False)
        return Chosen(
            gr.update(choices=[], value=None, visible=False),
            gr.update(visible=False, value=OWN),
            hidden,
            gr.update(value=text, visible=True),
            still,
            still,
        )


@lru_cache(maxsize=64)
def _examples(run: Run, direction: str, count: int, stamp: Stamp) -> tuple[Example, ...]:
    """Look for examples; once more when the run has changed (``stamp``)."""
    return tuple(find_examples(run.options(), direction, count))
