"""Translate many files: read ahead and written behind in threads, so that the networks need not wait."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from inference.film import FilmSettings, translate_film
from inference.given import Picture, taken
from inference.large.huge import translate_huge
from inference.listing import Job, with_suffix
from inference.translator import MOST_TOGETHER, Translator
from inference.writing import write_picture
from options.errors import TooLargeError, UserError
from util.raster.kinds import Raster

log = logging.getLogger(__name__)

In = TypeVar("In")
Out = TypeVar("Out")
AHEAD = 8  # files in memory that wait for the networks, and as many that wait for the disk


@dataclass(frozen=True)
class Many:
    """How files are translated.

    Attributes:
        load_size: see ``Translator``.
        quality: of JPEG and WebP.
        threads: that read, and as many that write.
        film: for films.
        quiet: show no bars.
    """

    load_size: int = 0
    quality: int = 95
    threads: int = 2
    film: FilmSettings = FilmSettings()
    quiet: bool = False


def translate_files(translator: Translator, jobs: Sequence[Job], how: Many, bar: "tqdm[None]") -> list[str]:
    """Translate files one after the other; returns what is wrong with those that could not be, each in a sentence.

    Raises:
        OSError: a translation cannot be written.
    """
    complaints: list[str] = []

    def settle(done: Callable[[], object]) -> None:
        try:
            done()
        except UserError as error:
            log.warning("%s", error)
            complaints.append(str(error))

    with ThreadPoolExecutor(how.threads) as readers, ThreadPoolExecutor(how.threads) as writers:
        written: deque[Future[Path]] = deque()

        def write(job: Job, picture: Picture, raster: Raster) -> None:
            written.append(
                writers.submit(write_picture, raster, job.stem, picture.header, suffix=job.suffix, quality=how.quality)
            )
            while len(written) > AHEAD:
                settle(written.popleft().result)

        for group in _alike(_ahead(readers, _read, jobs), 1 if translator.device.type == "cpu" else MOST_TOGETHER):
            settle(lambda group=group: _translate(translator, group, how, write))  # type: ignore[misc]
            bar.update(len(group))
        while written:
            settle(written.popleft().result)
    return complaints


Read = tuple[Job, Picture | UserError | None]


def _read(job: Job) -> Read:
    """Return a picture, or what is wrong with it, or None for what is not read at once."""
    if job.is_film:
        return job, None
    try:
        return job, taken(job.source)
    except TooLargeError:
        return job, None
    except UserError as error:
        return job, error


def _translate(
    translator: Translator, group: Sequence[Read], how: Many, write: Callable[[Job, Picture, Raster], None]
) -> None:
    """Translate one file, or several pictures of one size."""
    job, first = group[0]
    if isinstance(first, UserError):
        raise first
    if first is None:
        with _bar(job.source, how) as bar:
            show = partial(_show, bar)
            if job.is_film:
                translate_film(translator, job.source, with_suffix(job.stem, job.suffix), how.film, progress=show)
            else:
                to = {"suffix": job.suffix, "quality": how.quality}
                translate_huge(translator, job.source, job.stem, **to, progress=show)  # type: ignore[arg-type]
        return
    pictures = [picture for _, picture in group if isinstance(picture, Picture)]
    rasters = translator.rasters(pictures, load_size=how.load_size)
    for (job, _), picture, raster in zip(group, pictures, rasters, strict=True):
        write(job, picture, raster)


def _bar(source: Path, how: Many) -> "tqdm[None]":
    """Return a bar for one file that takes long."""
    return tqdm(desc=source.name, leave=False, unit="%", disable=True if how.quiet else None)


def _show(bar: "tqdm[None]", done: float, total: float = 1.0) -> None:
    """Move a bar to what is done of all."""
    bar.total = 100
    bar.update(round(100 * done / total) - bar.n if total else 0)


def _ahead(executor: Executor, function: Callable[[In], Out], items: Sequence[In]) -> Iterator[Out]:
    """Yield the function's values in order; some are computed before they are asked for."""
    waiting: deque[Future[Out]] = deque()
    for item in items:
        waiting.append(executor.submit(function, item))
        if len(waiting) > AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _alike(found: Iterator[Read], most: int) -> Iterator[list[Read]]:
    """Put neighbours of one size together."""
    group: list[Read] = []
    for one in found:
        if group and (len(group) == most or _size(one) is None or _size(one) != _size(group[0])):
            yield group
            group = []
        group.append(one)
    if group:
        yield group


def _size(one: Read) -> tuple[int, int] | None:
    return one[1].size if isinstance(one[1], Picture) else None
