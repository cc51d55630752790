"""What to translate, and where each translation goes."""

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from data.files.folder import list_images
from inference.video import VIDEOS, is_video, written_suffix
from options.errors import NoImagesError, UserError
from util.raster.kinds import EXTENSIONS
from util.results import LONGEST_NAME

WRITTEN = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".npy")  # formats of images by suffix
AUTOMATIC = (".png", ".tif", ".npy", ".npz")  # what an image may become where no format is asked for


class Job(NamedTuple):
    """A file to translate.

    Attributes:
        stem: of the translation.
        suffix: of it; empty where the image decides, see ``AUTOMATIC``.
    """

    source: Path
    stem: Path
    suffix: str = ""

    @property
    def is_video(self) -> bool:
        """True for a video."""
        return is_video(self.source)

    @property
    def target(self) -> Path:
        """The translation, where its suffix is known."""
        return with_suffix(self.stem, self.suffix)

    def existing(self) -> list[Path]:
        """Return what is there already that the translation may be called."""
        suffixes = (self.suffix,) if self.suffix else AUTOMATIC
        places = (with_suffix(self.stem, suffix) for suffix in suffixes)
        return [place for place in places if place.exists()]


def with_suffix(stem: Path, suffix: str) -> Path:
    """Return ``stem`` with a suffix behind whatever dots are in it."""
    return stem.with_name(stem.name + suffix)


def list_jobs(inputs: Sequence[str], output: str, *, suffix: str = "") -> list[Job]:
    """Return a job for each file that the inputs name: files, folders with all below them, and patterns.

    Args:
        output: a file's name, with a suffix, for one input; else a folder, in which folders keep their tree.
        suffix: of all images, such as ``.jpg``; empty leaves it to each image.

    Raises:
        UserError: there is nothing to translate, or a translation would take the place of its own source.
    """
    named = [place for text in inputs for place in _expanded(text)]
    to = Path(output)
    if len(named) == 1 and named[0].is_file() and to.suffix.lower() in (*WRITTEN, *VIDEOS) and not to.is_dir():
        if is_video(named[0]) != is_video(to):
            raise UserError(f"{named[0]} and {to} are a video and an image; give {to} another suffix, or a folder")
        jobs = [job_of(named[0], to)]
    elif to.is_file():
        raise UserError(f"-o {output} is a file, but there may be several translations; give a folder")
    else:
        found = [pair for place in named for pair in _files(place, to)]
        jobs = _named(list(dict.fromkeys(found)), to, suffix)
    for job in jobs:
        if any(os.path.samefile(here, job.source) for here in job.existing()):
            raise UserError(f"the translation of {job.source} would take its place; give another folder with -o")
    return jobs


def job_of(source: Path, target: Path) -> Job:
    """Return the job of which the name of the translation is given whole."""
    return Job(source, target.with_name(target.name.removesuffix(target.suffix)), target.suffix)


def _expanded(text: str) -> list[Path]:
    """Return what a name or a pattern such as ``images/*.jpg`` stands for."""
    path = Path(text).expanduser()
    if path.exists():
        return [path]
    matches = sorted(glob.glob(str(path), recursive=True)) if glob.has_magic(text) else []
    if not matches:
        what = "no file fits the pattern" if glob.has_magic(text) else "there is no file or folder"
        raise UserError(f"{what} {text}; check the path")
    return [Path(match) for match in matches]


def _files(place: Path, output: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files that a path names, with the path each has below it."""
    if place.is_file():
        yield place, Path(place.name)
        return
    videos = [path for path in sorted(place.rglob("*")) if is_video(path) and path.is_file()]
    try:
        images = [Path(path) for path in list_images(place, float("inf"), hint="give a folder of images")]
    except NoImagesError:
        if not videos:
            raise
        images = []
    within = output.resolve()  # translations of an earlier time, in a folder inside, are not translated
    if within == place.resolve():
        raise UserError(f"-o {output} is the folder to translate; give another one, which may lie in it")
    for path in sorted([*images, *(video for video in videos if video not in images)]):
        if not path.resolve().is_relative_to(within):
            yield path, path.relative_to(place)


def _named(found: Sequence[tuple[Path, Path]], folder: Path, suffix: str) -> list[Job]:
    """Name translations after their sources; where names differ in the suffix alone, that stays in the name."""
    counts = Counter(relative.with_suffix("") for _, relative in found)
    taken: Counter[Path] = Counter()
    jobs = []
    for source, relative in found:
        video, known = is_video(source), source.suffix.lower() in EXTENSIONS
        alone = counts[relative.with_suffix("")] == 1 and (known or video)
        name = os.fsdecode(os.fsencode(relative.stem if alone else relative.name)[:LONGEST_NAME])
        taken[relative.with_name(name)] += 1
        if (number := taken[relative.with_name(name)]) > 1:  # the same name from two folders
            name = f"{name}_{number}"
        jobs.append(Job(source, folder / relative.with_name(name), written_suffix(source) if video else suffix))
    return jobs
