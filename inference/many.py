"""Translate many files: read ahead and written behind in threads, so that the networks need not wait."""

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from inference.given import InputImage, taken
from inference.large.huge import translate_huge
from inference.listing import Job, with_suffix
from inference.translator import MOST_TOGETHER, Translator
from inference.video import VideoSettings, translate_video
from inference.writing import write_image
from options.errors import TooLargeError, UserError
from util.raster.header import read_header
from util.raster.kinds import Raster

log = logging.getLogger(__name__)

AHEAD = 8  # files in memory that wait for the networks, and as many that wait for the disk
MOST_WAITING = 2**28  # bytes of either, if they are more than one


@dataclass(frozen=True)
class Many:
    """How files are translated.

    Attributes:
        load_size: see ``Translator``.
        quality: of JPEG and WebP.
        threads: that read, and as many that write.
        video: for videos.
        quiet: show no bars.
        most_bytes: of an image that is read at once; larger ones go by way of the disk. 0: as many as are read at all.
    """

    load_size: int = 0
    quality: int = 95
    threads: int = 2
    video: VideoSettings = VideoSettings()
    quiet: bool = False
    most_bytes: int = 0


def translate_files(
    translator: Translator,
    jobs: Sequence[Job],
    how: Many,
    bar: "tqdm[None]",
    begin: Callable[[Job], None] = lambda job: None,
) -> list[str]:
    """Translate files one after the other; returns what is wrong with those that could not be, each in a sentence.

    Args:
        begin: is called before the file of a job is written.

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
        written: deque[tuple[Future[Path], int]] = deque()

        def write(job: Job, image: InputImage, raster: Raster) -> None:
            begin(job)
            to = {"suffix": job.suffix, "quality": how.quality}
            future = writers.submit(write_image, raster, job.stem, image.header, **to)  # type: ignore[arg-type]
            written.append((future, raster.levels.nbytes))
            while len(written) > AHEAD or (len(written) > 1 and sum(size for _, size in written) > MOST_WAITING):
                settle(written.popleft()[0].result)

        most = 1 if translator.device.type == "cpu" else MOST_TOGETHER
        for group in _alike(_ahead(readers, jobs, how), most):
            try:
                _translate(translator, group, how, write, begin)
            except UserError:
                for one in group:  # the others of a batch are good
                    settle(partial(_translate, translator, [one], how, write, begin))
            bar.update(len(group))
        while written:
            settle(written.popleft()[0].result)
    return complaints


Read = tuple[Job, InputImage | UserError | None]


def _read(job: Job, most_bytes: int) -> Read:
    """Return an image, or what is wrong with it, or None for what is not read at once."""
    if job.is_video or (most_bytes and _bytes_of(job) > most_bytes):
        return job, None
    try:
        return job, taken(job.source)
    except TooLargeError:
        return job, None
    except UserError as error:
        return job, error


def _bytes_of(job: Job) -> int:
    """Return what an image takes in memory; 0 for what is none, or not read at once."""
    try:
        header = read_header(job.source)
    except UserError:  # whoever reads it says what is wrong
        return 0
    return header.width * header.height * header.channels * header.dtype.itemsize


def _translate(
    translator: Translator,
    group: Sequence[Read],
    how: Many,
    write: Callable[[Job, InputImage, Raster], None],
    begin: Callable[[Job], None],
) -> None:
    """Translate one file, or several images of one size."""
    job, first = group[0]
    if isinstance(first, UserError):
        raise first
    if first is None:
        if how.load_size and not job.is_video:
            raise UserError(f"the image {job.source} is too large for --load_size; leave that out")
        begin(job)
        with _bar(job.source, how) as bar:
            show = partial(_show, bar)
            if job.is_video:
                translate_video(translator, job.source, with_suffix(job.stem, job.suffix), how.video, progress=show)
            else:
                to = {"suffix": job.suffix, "quality": how.quality}
                translate_huge(translator, job.source, job.stem, **to, progress=show)  # type: ignore[arg-type]
        return
    images = [image for _, image in group if isinstance(image, InputImage)]
    rasters = translator.rasters(images, load_size=how.load_size)
    for (job, _), image, raster in zip(group, images, rasters, strict=True):
        write(job, image, raster)


def _bar(source: Path, how: Many) -> "tqdm[None]":
    """Return a bar for one file that takes long."""
    return tqdm(desc=source.name, leave=False, unit="%", disable=True if how.quiet else None)


def _show(bar: "tqdm[None]", done: float, total: float = 1.0) -> None:
    """Move a bar to what is done of all."""
    bar.total = 100
    bar.update(round(100 * done / total) - bar.n if total else 0)


def _ahead(executor: Executor, jobs: Sequence[Job], how: Many) -> Iterator[Read]:
    """Yield what is read, in order; some is read before it is asked for."""
    waiting: deque[tuple[Future[Read], int]] = deque()
    for job in jobs:
        size = 0 if job.is_video else _bytes_of(job)
        while len(waiting) > AHEAD or (waiting and size + sum(other for _, other in waiting) > MOST_WAITING):
            yield waiting.popleft()[0].result()
        waiting.append((executor.submit(_read, job, how.most_bytes), size))
    while waiting:
        yield waiting.popleft()[0].result()


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
    return one[1].size if isinstance(one[1], InputImage) else None
