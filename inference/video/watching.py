"""A camera's image and its translation, live on a page and, if wanted, in a video."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from functools import partial
from pathlib import Path

from inference.translator import Translator
from inference.video.camera import Shot, opened_camera
from inference.video.colors import colors_of, to_bytes
from inference.video.formats import kind_of
from inference.video.frames import Frames
from inference.video.live_page import LivePage
from inference.video.reading import Look, Piece
from inference.video.settings import VideoSettings
from inference.video.threads import Newest, WriteBehind
from inference.video.writing import opened_writer
from options.errors import UserError
from util.raster.kinds import Levels

log = logging.getLogger(__name__)

USUAL_RATE = Fraction(30)  # frames per second that a recording is said to have; their times are the real ones
MILLISECOND = Fraction(1, 1000)
WAITING = 16  # frames that may wait to be recorded

Keep = Callable[[Levels, float], None]  # takes a frame and the second at which it was taken


def watch(
    translator: Translator,
    camera: str,
    settings: VideoSettings,
    *,
    record: Path | None,
    port: int,
    opened: Callable[[str], None] | None,
) -> None:
    """Show a camera; see ``inference.video.watch_camera``."""
    if record is not None:
        kind_of(record)
    with opened_camera(camera) as newest:
        first = newest.after(0)
        if first is None:
            raise UserError(f"the camera {camera} shows no images")
        frames = Frames(translator, settings, first[1].size, 8, f"the camera {camera}")
        with LivePage(port) as page, _recording(record, first[1], settings.crf, deep=frames.makes_deep) as keep:
            (opened or partial(log.info, "look at %s in a browser; Ctrl-C ends it"))(page.address)
            shown = _show(newest, first[1].size, frames, page, keep)
    where = f"; they are in {record}" if record else ""
    log.info("%d frames translated%s", shown, where)


def _show(newest: Newest[Shot], size: tuple[int, int], frames: Frames, page: LivePage, keep: Keep) -> int:
    """Translate until the camera ends or Ctrl-C; return how many frames."""
    seen = count = 0
    try:
        while (found := newest.after(seen)) is not None:
            seen, shot = found
            given = shot.levels(size, deep=frames.deep)
            (made,) = frames([given])
            page.show(to_bytes(given), to_bytes(made))
            keep(made, shot.at)
            count += 1
    except KeyboardInterrupt:
        log.info("stopped")
    return count


@contextmanager
def _recording(record: Path | None, shot: Shot, crf: int, *, deep: bool) -> Iterator[Keep]:
    """Yield what keeps frames, in a video if there is a path for one."""
    if record is None:
        yield lambda levels, at: None
        return
    look = Look(shot.size, Fraction(0), USUAL_RATE, MILLISECOND, colors_of(shot.frame))
    with opened_writer(record, look, crf=crf, deep=deep) as writer, WriteBehind(writer.write, WAITING) as behind:
        yield lambda levels, at: behind.put(Piece(levels, round((at - shot.at) / MILLISECOND), 0))
