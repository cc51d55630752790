"""The runs that the page offers, and those of them that are in memory."""

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from inference.load import direction_of, find_run, generator_files, generator_of, is_of_a_run, load, ranges_of
from inference.translator import Translator
from options.data import Range
from options.errors import UserError
from options.stored import OPTIONS_FILE, read_options
from util.registry import did_you_mean

log = logging.getLogger(__name__)

Stamp = tuple[tuple[str, int, int], ...]  # names, times and sizes of files
Loader = Callable[[Path], Translator]
NAMES_SHOWN = 20
MOST_LOADED = 2  # translators that stay in memory


class UnknownRunError(UserError):
    """There is no run of that name."""


class Run(NamedTuple):
    """A run's folder, or the file of one generator."""

    name: str
    place: Path

    @property
    def folder(self) -> Path:
        """Where its records are."""
        return self.place if self.place.is_dir() else self.place.parent

    def options(self) -> Mapping[str, Any]:
        """Return the flags of the training, as far as they are known."""
        if self.place.is_file() and not is_of_a_run(self.place):
            return _metadata(self.place) if self.place.suffix == ".safetensors" else {}
        try:
            return read_options(self.folder)
        except UserError:  # who chooses the run is told; the others are there all the same
            return {}

    def weights(self) -> dict[str, Path]:
        """Return the newest files of weights by generator; nothing before the first save."""
        if self.place.is_file():
            return {str(self.options().get("network", generator_of(self.place))): self.place}
        return generator_files(self.place, self.options())

    def directions(self) -> list[str]:
        """Return the names of the directions, that of the training first, without reading any weights."""
        return [direction_of(name, self.options()) for name in self.weights()]

    def load_size(self) -> int:
        """Return the pixels a side at which the training saw images; 0 if unknown."""
        return int(self.options().get("load_size", 0))

    def limits(self, side: str) -> Range | None:
        """Return the values of domain A or B that are black and white; None: those of an image's type."""
        try:
            return ranges_of(self.options()).range_of(side)
        except UserError:  # who translates is told
            return None

    def stamp(self) -> Stamp:
        """Return what changes when the weights do."""
        paths = [*self.weights().values(), self.folder / OPTIONS_FILE]
        stats = [(path.name, path.stat()) for path in sorted(paths) if path.exists()]
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)


class Runs:
    """What can be chosen, looked up anew each time, as trainings begin and save.

    Args:
        given: names or folders of runs; empty takes every folder in ``checkpoints_dir`` that has weights.

    Raises:
        UserError: a run that is given does not exist.
    """

    def __init__(self, given: Sequence[str], checkpoints_dir: str | Path, loader: Loader = load) -> None:
        self._folder, self._loader = Path(checkpoints_dir), loader
        self._given = _named([find_run(run, checkpoints_dir) for run in given])
        self._loaded: OrderedDict[str, tuple[Stamp, Translator]] = OrderedDict()
        self._lock = threading.Lock()

    def all(self) -> list[Run]:
        """Return the runs to choose from: those given, or those that have weights, by name."""
        if self._given:
            return list(self._given)
        return [run for run in self._folders() if run.weights()]

    def still_empty(self) -> list[str]:
        """Return the names of the runs that have saved no weights yet."""
        runs = self._given or [run for run in self._folders() if (run.place / OPTIONS_FILE).exists()]
        return [run.name for run in runs if not run.weights()]

    def find(self, name: str) -> Run:
        """Return a run by its name, which is no path: nothing but what is offered can be reached.

        Raises:
            UnknownRunError: none is called so.
        """
        runs = {run.name: run for run in self.all()}
        if not name and len(runs) == 1:
            return next(iter(runs.values()))
        if name in runs:
            return runs[name]
        if not runs:
            raise UnknownRunError("there is no trained run here yet; train one first")
        shown = ", ".join(list(runs)[:NAMES_SHOWN]) + ", ..." * (len(runs) > NAMES_SHOWN)
        asked = f"there is no run {name[:80]!r}" if name else "the name of a run is missing"
        raise UnknownRunError(f"{asked}{did_you_mean(name, list(runs))}; there are: {shown}")

    def direction(self, run: Run, name: str) -> str:
        """Return the direction that is asked for; empty is that of the training.

        Raises:
            UserError: the run does not have it, or has no weights yet.
        """
        there = run.directions()
        if not there:
            raise UserError(f"{run.name} has saved no weights yet; wait for its first save, and try again")
        if name and name not in there:
            raise UserError(f"{run.name} translates {' and '.join(there)}, not {name[:20]!r}")
        return name or there[0]

    def translator(self, run: Run) -> Translator:
        """Return what translates with a run: the one in memory, unless the files have changed since."""
        with self._lock:
            stamp = run.stamp()
            known = self._loaded.pop(run.name, None)
            if known is None or known[0] != stamp:
                known = None  # its memory is needed for the new one
                while len(self._loaded) >= MOST_LOADED:
                    self._loaded.popitem(last=False)
                known = (stamp, self._loader(run.place))
                log.info("loaded %s, %s", run.place, known[1].describe())
            self._loaded[run.name] = known
            return known[1]

    def _folders(self) -> list[Run]:
        places = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        return [Run(place.name, place) for place in places if place.is_dir()]


def _metadata(path: Path) -> dict[str, str]:
    """Return what a safetensors file says of itself, without its weights; nothing of a damaged one."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}


def _named(places: Sequence[Path]) -> list[Run]:
    """Call runs by the last part of their paths, or by the whole paths where those are alike."""
    places = list(dict.fromkeys(places))
    ends = [place.stem if place.is_file() else place.resolve().name for place in places]
    return [Run(end if ends.count(end) == 1 else str(place), place) for end, place in zip(ends, places, strict=True)]
