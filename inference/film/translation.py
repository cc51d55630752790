"""A film from end to end: read ahead, translated here, written behind."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from inference.film.beside import Ahead, Behind
from inference.film.frames import Frames
from inference.film.reading import FilmReader, opened_film
from inference.film.settings import Busy, FilmReport, FilmSettings
from inference.film.sound import Copied
from inference.film.writing import FilmWriter, opened_writer
from inference.translator import MOST_TOGETHER, Translator
from options.errors import UserError

log = logging.getLogger(__name__)

MOST_BYTES = 2**28  # of pictures that wait, before the network and behind it


def translate(
    translator: Translator,
    source: Path,
    target: Path,
    settings: FilmSettings,
    progress: Callable[[int, int], None],
) -> FilmReport:
    """Translate a film; see ``inference.film.translate_film``."""
    began = time.perf_counter()
    if target.exists() and source.exists() and target.samefile(source):
        raise UserError(f"{target} is the film itself; give another place for its translation")
    on_cpu = translator.device.type == "cpu"
    with opened_film(source, threads="SLICE" if on_cpu else "AUTO") as film:
        frames = Frames(translator, settings, film.look.size, film.bits, source.name)
        with opened_writer(
            target, film.look, crf=settings.crf, deep=frames.makes_deep, sound_of=film.container
        ) as writer:
            _tell_depth(film.bits, writer.bits if frames.deep else 8)
            done, busy = _work(film, frames, writer, progress, most=1 if on_cpu else MOST_TOGETHER)
        copied = sum(isinstance(track, Copied) for track in writer.sound.values())
        lost = film.lost()
        if lost:
            log.warning("%s is damaged; frames translated: %d, lost: about %d", source, done, lost)
        took, look = time.perf_counter() - began, film.look
        sound = (copied, len(writer.sound) - copied)
        return FilmReport(done, film.seconds, look.size, float(look.rate), *sound, lost, took, busy)


def _work(
    film: FilmReader, frames: Frames, writer: FilmWriter, progress: Callable[[int, int], None], *, most: int
) -> tuple[int, Busy]:
    """Translate all pictures; return how many, and the seconds that each thread worked.

    Args:
        most: pictures that are translated together.
    """
    width, height = film.look.size
    waiting = max(2, min(2 * MOST_TOGETHER, MOST_BYTES // (width * height * 6)))
    done, translating = 0, 0.0
    with Ahead(film.pieces(deep=frames.deep), waiting) as ahead, Behind(writer.write, waiting) as behind:
        while pieces := ahead.take(most):
            began = time.perf_counter()
            given = [piece.levels for piece in pieces if piece.levels is not None]
            made = iter(frames(given))
            translating += time.perf_counter() - began
            for piece in pieces:
                behind.put(piece if piece.levels is None else piece._replace(levels=next(made)))
            done += len(given)
            progress(done, max(done, film.look.frames) if film.look.frames else 0)
    return done, Busy(ahead.busy, translating, behind.busy)


def _tell_depth(before: int, after: int) -> None:
    if before > 8:
        log.info("the film's %d bits a value %s", before, f"become {after}" if after < before else "are kept")
