"""A video from end to end: read ahead, translated here, written behind."""

import logging
from collections.abc import Callable
from pathlib import Path

from inference.translator import MOST_TOGETHER, Translator
from inference.video.frames import Frames
from inference.video.reading import VideoReader, opened_video
from inference.video.settings import VideoSettings
from inference.video.threads import ReadAhead, WriteBehind
from inference.video.writing import VideoWriter, opened_writer
from options.errors import UserError

log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
MOST_BYTES = 2**28  # of images that wait, before the network and behind it


def translate(translator: Translator, source: Path, target: Path, settings: VideoSettings, progress: Progress) -> None:
    """Translate a video; see ``inference.video.translate_video``."""
    if target.exists() and source.exists() and target.samefile(source):
        raise UserError(f"{target} is the video itself; give another place for its translation")
    on_cpu = translator.device.type == "cpu"
    with opened_video(source, threads="SLICE" if on_cpu else "AUTO") as video:
        frames = Frames(translator, settings, video.look.size, video.bits, source.name)
        with opened_writer(
            target, video.look, crf=settings.crf, deep=frames.makes_deep, sound_of=video.container
        ) as writer:
            if video.bits > 8:
                bits = writer.bits if frames.deep else 8
                kept = f"become {bits}" if bits < video.bits else "are kept"
                log.info("the video's %d bits a value %s", video.bits, kept)
            done = _work(video, frames, writer, progress, most=1 if on_cpu else MOST_TOGETHER)
        if lost := video.lost():
            log.warning("%s is damaged; frames translated: %d, lost: about %d", source, done, lost)


def _work(video: VideoReader, frames: Frames, writer: VideoWriter, progress: Progress, *, most: int) -> int:
    """Translate all images, ``most`` of them together; return how many."""
    width, height = video.look.size
    waiting = max(2, min(2 * MOST_TOGETHER, MOST_BYTES // (width * height * 6)))
    done = 0
    with ReadAhead(video.pieces(deep=frames.deep), waiting) as ahead, WriteBehind(writer.write, waiting) as behind:
        while pieces := ahead.take(most):
            given = [piece.levels for piece in pieces if piece.levels is not None]
            made = iter(frames(given))
            for piece in pieces:
                behind.put(piece if piece.levels is None else piece._replace(levels=next(made)))
            done += len(given)
            progress(done, max(done, video.look.frames) if video.look.frames else 0)
    return done
