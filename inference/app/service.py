"""What the page and the programs' addresses share: an image in, a translation out, one line in the log."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from inference.app.runs import Runs
from inference.app.store import Store
from inference.app.uploads import Limits, read_image
from inference.app.work_queue import WorkQueue
from inference.inputs import InputImage, as_pillow
from inference.translator import Translator
from options.errors import UserError

log = logging.getLogger(__name__)
T = TypeVar("T")


class FailedError(UserError):
    """Not the visitor's mistake; what it was is in the log."""


class Order(NamedTuple):
    """What somebody asks for.

    Attributes:
        who: for the log.
        run: its name; may be empty where there is one alone.
        direction: ``AtoB`` or ``BtoA``; empty is that of the training.
        load_size: pixels of the shorter side while it is translated; 0: the image's own.
    """

    who: str
    run: str
    direction: str = ""
    load_size: int = 0


class Translation(NamedTuple):
    """An image and what became of it.

    Attributes:
        back: the round trip, where that is asked for and the run has both directions.
    """

    given: InputImage
    made: InputImage
    back: InputImage | None
    translator: Translator
    direction: str

    @property
    def told(self) -> str:
        """What the log says of it."""
        return "{} {}x{}".format(self.direction, *self.given.size)


class Service:
    """The runs, the device's queue and the limits."""

    def __init__(self, runs: Runs, queue: WorkQueue, limits: Limits, store: Store) -> None:
        self.runs, self.queue, self.limits, self.store = runs, queue, limits, store

    async def do(self, order: Order, what: str, work: Callable[[], tuple[str, T]], *, patient: bool = False) -> T:
        """Do some work when its turn comes, and log it.

        Args:
            what: the work in a word or two, for the log.
            work: returns what the log says of its result, and the result.
            patient: wait however many do already.

        Raises:
            UserError: it was refused, or failed; the message is for the visitor.
        """
        began = time.monotonic()
        about = printable(f"{order.who} {what} {order.run[:80]}")
        try:
            told, made = await asyncio.wrap_future(self.queue.submit(work, patient=patient))
        except asyncio.CancelledError:
            log.info("%s: gone after %.1f s", about, time.monotonic() - began)
            raise
        except UserError as error:
            log.info("%s: refused: %s", about, printable(str(error)))
            raise
        except Exception as error:
            log.exception("%s: failed", about)
            raise FailedError("that did not work; the log of this program says why") from error
        log.info("%s %s: %.2f s", about, told, time.monotonic() - began)
        return made

    def translate(self, order: Order, data: bytes, name: str, *, round_trip: bool = False) -> Translation:
        """Translate an image, in the thread of the queue.

        Args:
            data: its file.
            name: what the visitor calls it.

        Raises:
            UserError: the run, the direction or the image is none, or they do not suit each other.
        """
        run = self.runs.find(order.run)
        direction = self.runs.direction(run, order.direction)
        image = read_image(data, name, self.limits, load_size=order.load_size)
        try:
            translator = self.runs.translator(run)
        except UserError as error:
            log.warning("%s cannot be loaded: %s", run.place, error)
            raise FailedError(f"{run.name} cannot be loaded; the log of this program says why") from error
        other = translator.way(direction).other_way
        goes_back = round_trip and other in translator.directions
        made = _apply(translator, image, direction, order.load_size)
        back = _apply(translator, made, other, order.load_size) if goes_back else None
        return Translation(image, made, back, translator, direction)


def _apply(translator: Translator, image: InputImage, direction: str, load_size: int) -> InputImage:
    (raster,) = translator.rasters([image], direction, load_size=load_size)
    header = image.header._replace(channels=raster.levels.shape[2], dtype=raster.levels.dtype, color=raster.color)
    return InputImage(image.name, raster, header, as_pillow)


def printable(text: str) -> str:
    """Return a text in one line, so that nobody can write lines of their own into the log."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)[:500]
