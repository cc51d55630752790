"""A video from end to end: read ahead, translated here, written behind."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

from inference.translator import MOST_TOGETHER, Translator
from inference.video.beside import Ahead, Behind
from inference.video.frames import Frames
from inference.video.reading import VideoReader, opened_video
from inference.video.settings import Busy, VideoReport, VideoSettings
from inference.video.sound import Copied
from inference.video.writing import VideoWriter, opened_writer
from options.errors import UserError

log = logging.getLogger(__name__)

MOST_BYTES = 2**28  # of images that wait, before the network and behind it


def translate(
    translator: Translator,
    source: Path,
    target: Path,
    settings: VideoSettings,
    progress: Callable[[int, int], None],
) -> VideoReport:
    """Translate a video; see ``inference.video.translate_video``."""
    began = time.perf_counter()
    if target.exists() and source.exists() and target.samefile(source):
        raise UserError(f"{target} is the video itself; give another place for its translation")
    on_cpu = translator.device.type == "cpu"
    with opened_video(source, threads="SLICE" if on_cpu else "AUTO") as video:
        frames = Frames(translator, settings, video.look.size, video.bits, source.name)
        with opened_writer(
            target, video.look, crf=settings.crf, deep=frames.makes_deep, sound_of=video.container
        ) as writer:
            _tell_depth(video.bits, writer.bits if frames.deep else 8)
            done, busy = _work(video, frames, writer, progress, most=1 if on_cpu else MOST_TOGETHER)
        copied = sum(isinstance(track, Copied) for track in writer.sound.values())
        lost = video.lost()
        if lost:
            log.warning("%s is damaged; frames translated: %d, lost: about %d", source, done, lost)
        took, look = time.perf_counter() - began, video.look
        sound = (copied, len(writer.sound) - copied)
        return VideoReport(done, video.seconds, look.size, float(look.rate), *sound, lost, took, busy)


def _work(
    video: VideoReader, frames: Frames, writer: VideoWriter, progress: Callable[[int, int], None], *, most: int
) -> tuple[int, Busy]:
    """Translate all images; return how many, and the seconds that each thread worked.

    Args:
        most: images that are translated together.
    """
    width, height = video.look.size
    waiting = max(2, min(2 * MOST_TOGETHER, MOST_BYTES // (width * height * 6)))
    done, translating = 0, 0.0
    with Ahead(video.pieces(deep=frames.deep), waiting) as ahead, Behind(writer.write, waiting) as behind:
        while pieces := ahead.take(most):
            began = time.perf_counter()
            given = [piece.levels for piece in pieces if piece.levels is not None]
            made = iter(frames(given))
            translating += time.perf_counter() - began
            for piece in pieces:
                behind.put(piece if piece.levels is None else piece._replace(levels=next(made)))
            done += len(given)
            progress(done, max(done, video.look.frames) if video.look.frames else 0)
    return done, Busy(ahead.busy, translating, behind.busy)


def _tell_depth(before: int, after: int) -> None:
    if before > 8:
        log.info("the video's %d bits a value %s", before, f"become {after}" if after < before else "are kept")
