"""What a sink is, and what one is opened with."""

import copy
import importlib.util
import sys
from functools import cached_property

from options.errors import UserError
from options.schema import Options
from util.curves.health import Health
from util.curves.history import History
from util.progress import Progress
from util.run_folder import METRICS_FILE, run_folder
from util.sinks.events import Images, Samples, Scalars, Scores, read_events


class RunSoFar:
    """The options of a training, and what it has told before it goes on.

    Attributes:
        images_seen: by the state that is resumed; 0 in a new run.
        last_epoch: of which something is trained; images of later ones are of a part that is lost.
    """

    def __init__(self, opt: Options, progress: Progress) -> None:
        self.opt, self.folder, self.images_seen = opt, run_folder(opt), progress.images_seen
        self.last_epoch = progress.epoch if progress.seen_in_epoch else progress.epoch - 1

    def history(self) -> History:
        """Return the curves so far, for the caller to go on with."""
        return self._told[0].copy()

    def health(self) -> Health:
        """Return how healthy the run is so far, for the caller to go on with."""
        return copy.deepcopy(self._told[1])

    @cached_property
    def _told(self) -> tuple[History, Health]:
        history, health = History(), Health(num_threads=self.opt.data.num_threads)
        for event in read_events(self.folder / METRICS_FILE):
            if event.images_seen <= self.images_seen:
                history.add(event)
                health.add(event)
        health.begin()
        return history, health


class Sink:
    """A destination. Override when it is opened and what it shows; the rest does nothing."""

    @classmethod
    def refuse(cls, opt: Options) -> None:
        """Look at the flags before anything is touched.

        Raises:
            UserError: it is asked for and cannot work.
        """

    @classmethod
    def opened(cls, run: RunSoFar) -> "Sink | None":
        """Open it for a training that goes on from ``run``; None where the flags do not ask for it."""

    def step(self, progress: Progress, images: int) -> None:
        """Note that a step of ``images`` images is done; called at every step, so keep it cheap."""

    def scalars(self, event: Scalars) -> None:
        """Show losses."""

    def scores(self, event: Scores) -> None:
        """Show what was measured on held-out images."""

    def images(self, event: Images) -> None:
        """Show the current images."""

    def samples(self, event: Samples) -> None:
        """Show the held-out images."""

    def close(self) -> None:
        """Flush; called once, also after an error."""


def missing(package: str) -> UserError:
    """Return what to say where the package that ``--use_<package>`` needs is not installed."""
    return UserError(f"--use_{package} needs the {package} package; type: pip install {package}")


def refuse_if_missing(package: str) -> None:
    """Raise that error if the package is not installed; it is not imported."""
    if package not in sys.modules and importlib.util.find_spec(package) is None:
        raise missing(package)
