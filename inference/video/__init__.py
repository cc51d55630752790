"""Videos and cameras through a trained run.

``translate_video`` turns a video into a video, ``watch_camera`` shows a camera's translation live on a small page. Both
read and write with PyAV, a package that only they need; importing this one does not import it.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path

from inference.translator import Translator
from inference.video.settings import VIDEOS, WRITTEN, VideoSettings, is_video, written_suffix
from options.errors import UserError

__all__ = ["VIDEOS", "WRITTEN", "VideoSettings", "is_video", "translate_video", "watch_camera", "written_suffix"]


def translate_video(
    translator: Translator,
    source: Path,
    target: Path,
    settings: VideoSettings,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> None:
    """Translate every frame of a video.

    The target has the frames, their times, the size and the sound of the source. It appears when it is whole: an
    error or Ctrl-C leaves nothing, and an older file of that name as it was. What is lost on the way (subtitles, sound
    that the target cannot hold, frames of a damaged video) is said in the log.

    Args:
        target: ends in one of ``WRITTEN``, which decides how it is stored.
        progress: is called with the frames done and the frames in all; 0 where the video does not say how many.

    Raises:
        UserError: the source is no video or holds no frame that can be decoded, the target has another ending, the run
            takes or makes something else than colours, or PyAV is not installed.
        OSError: a file cannot be read or written; the disk is full, for example.
    """
    _need_pyav()
    from inference.video.translation import translate

    translate(translator, source, target, settings, progress)


def watch_camera(
    translator: Translator,
    camera: str,
    settings: VideoSettings,
    *,
    record: Path | None = None,
    port: int = 8098,
    opened: Callable[[str], None] | None = None,
) -> None:
    """Show a camera and its translation on a page of this machine until Ctrl-C or the end of the stream.

    It is always the newest frame that is translated; those that come meanwhile are dropped.

    Args:
        camera: a number (0: the system's first camera), a device such as ``/dev/video1``, an address (``rtsp://...``,
            ``http://...``) or a video, which is then played at its own speed.
        record: a video that gets the translated frames at the times when they were taken.
        port: of the page, on 127.0.0.1; 0 takes any that is free.
        opened: is called with the page's address; None writes it to the log.

    Raises:
        UserError: the camera cannot be opened, the port is taken, or as in ``translate_video``.
        OSError: the recording cannot be written.
    """
    _need_pyav()
    from inference.video.watching import watch

    watch(translator, camera, settings, record=record, port=port, opened=opened)


def _need_pyav() -> None:
    if importlib.util.find_spec("av") is None:
        raise UserError("videos and cameras need the package av; type: pip install av")
