"""Translate files: read ahead and written behind in threads, so that the networks need not wait."""

import logging
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from inference.inputs import InputImage, read_input
from inference.jobs import Job
from inference.large.out_of_core import translate_out_of_core
from inference.translator import MOST_TOGETHER, Translator
from inference.video import VideoSettings, translate_video
from inference.writing import write_image
from options.errors import TooLargeError, UserError
from util.raster.kinds import Raster
from util.raster.reading import read_header

log = logging.getLogger(__name__)

AHEAD = 8  # files in memory that wait for the networks, and as many that wait for the disk
MOST_WAITING = 2**28  # bytes of either, if they are more than one

T = TypeVar("T")
Waiting = deque[tuple[Future[T], int]]  # with the bytes that each takes
Read = tuple[Job, InputImage | UserError | None]  # an image, or what is wrong with it, or None: not read at once


@dataclass(frozen=True)
class FileSettings:
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
    settings: FileSettings,
    begin: Callable[[Job], None] = lambda job: None,
) -> list[str]:
    """Translate files one after the other; returns what is wrong with those that could not be, each in a sentence.

    Args:
        begin: is called before the file of a job is written.

    Raises:
        OSError: a translation cannot be written.
    """
    most = 1 if translator.device.type == "cpu" else MOST_TOGETHER
    with (
        tqdm(total=len(jobs), unit="file", disable=True if settings.quiet else None) as bar,
        ThreadPoolExecutor(settings.threads) as readers,
        ThreadPoolExecutor(settings.threads) as writers,
    ):
        files = _Files(translator, settings, writers, begin)
        for group in _batches(_read_ahead(readers, jobs, settings.most_bytes), most):
            files.translate(group)
            bar.update(len(group))
        files.settle()
    return files.complaints


class _Files:
    """Takes files that were read through the networks and hands them to the threads that write."""

    def __init__(
        self, translator: Translator, settings: FileSettings, writers: Executor, begin: Callable[[Job], None]
    ) -> None:
        self._translator, self._settings, self._writers, self._begin = translator, settings, writers, begin
        self._written: Waiting[Path] = deque()
        self.complaints: list[str] = []

    def translate(self, group: Sequence[Read]) -> None:
        """Translate one file, or several images of one size."""
        try:
            self._translate(group)
        except UserError as error:
            if len(group) == 1:
                self._complain(error)
                return
            for one in group:  # the others of a batch are good
                self.translate([one])

    def settle(self, room: float = math.inf) -> None:
        """Wait until what is being written leaves room for so many bytes more."""
        for future in _in_the_way(self._written, room):
            try:
                future.result()
            except UserError as error:
                self._complain(error)

    def _complain(self, error: UserError) -> None:
        log.warning("%s", error)
        self.complaints.append(str(error))

    def _translate(self, group: Sequence[Read]) -> None:
        job, first = group[0]
        if isinstance(first, UserError):
            raise first
        if first is None:
            self._in_pieces(job)
            return
        images = [image for _, image in group if isinstance(image, InputImage)]
        rasters = self._translator.rasters(images, load_size=self._settings.load_size)
        for (job, _), image, raster in zip(group, images, rasters, strict=True):
            self._write(job, image, raster)

    def _in_pieces(self, job: Job) -> None:
        """Translate what is not read at once: a video, or an image by way of the disk."""
        settings = self._settings
        if settings.load_size and not job.is_video:
            raise UserError(f"the image {job.source} is too large for --load_size; leave that out")
        self._begin(job)
        bar = tqdm(desc=job.source.name, leave=False, total=100, unit="%", disable=True if settings.quiet else None)

        def show(done: float, total: float = 1.0) -> None:
            bar.update(round(100 * done / total) - bar.n if total else 0)

        with bar:
            if job.is_video:
                translate_video(self._translator, job.source, job.target, settings.video, progress=show)
            else:
                suffix, quality = job.suffix, settings.quality
                translate_out_of_core(
                    self._translator, job.source, job.stem, suffix=suffix, quality=quality, progress=show
                )

    def _write(self, job: Job, image: InputImage, raster: Raster) -> None:
        self._begin(job)
        size = raster.levels.nbytes
        self.settle(size)
        work = partial(write_image, suffix=job.suffix, quality=self._settings.quality)
        self._written.append((self._writers.submit(work, raster, job.stem, image.header), size))


def _in_the_way(waiting: "Waiting[T]", room: float) -> "Iterator[Future[T]]":
    """Take out, the oldest first, what has to be done before there is room for so many bytes more."""
    while waiting and (len(waiting) > AHEAD or room + sum(size for _, size in waiting) > MOST_WAITING):
        yield waiting.popleft()[0]


def _read_ahead(readers: Executor, jobs: Sequence[Job], most_bytes: int) -> Iterator[Read]:
    """Yield what is read, in order; some is read before it is asked for."""
    waiting: Waiting[Read] = deque()
    for job in jobs:
        size = 0 if job.is_video else _bytes_of(job)
        yield from (future.result() for future in _in_the_way(waiting, size))
        waiting.append((readers.submit(_read, job, most_bytes), size))
    yield from (future.result() for future in _in_the_way(waiting, math.inf))


def _read(job: Job, most_bytes: int) -> Read:
    if job.is_video or (most_bytes and _bytes_of(job) > most_bytes):
        return job, None
    try:
        return job, read_input(job.source)
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


def _batches(found: Iterator[Read], most: int) -> Iterator[list[Read]]:
    """Put neighbours of one size together."""
    for _, alike in groupby(found, lambda one: one[1].size if isinstance(one[1], InputImage) else object()):
        while batch := list(islice(alike, most)):
            yield batch
