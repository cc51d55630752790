"""What a video is by its name, and how it is to be translated."""

from dataclasses import dataclass
from pathlib import Path

from options.flag import refuse_outside
from options.translate import TranslateOptions

WRITTEN = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif")  # endings of videos that can be made
VIDEOS = (*WRITTEN, ".mpg", ".mpeg", ".ts", ".m2ts", ".mts", ".vob", ".wmv", ".flv", ".3gp", ".ogv")  # and read


def is_video(path: Path) -> bool:
    """Return whether a file is a video by the ending of its name; a GIF is one, of one frame perhaps."""
    return path.suffix.lower() in VIDEOS


def written_suffix(source: Path) -> str:
    """Return the ending of a video's translation: its own, or ``.mp4`` if videos of its kind cannot be made."""
    return source.suffix if source.suffix.lower() in WRITTEN else ".mp4"


@dataclass(frozen=True, kw_only=True)
class VideoSettings:
    """How a video is translated and stored.

    Attributes:
        smooth: 0 translates every frame by itself; up to 1, the more of the frame before stays where the video stands
            still (see ``inference.video.smoothing``).
        crf: quality of the target, 0 to 51: about 18 looks like the original, 23 is half the size, 0 is the best there
            is, which in ``.mkv`` and ``.avi`` loses nothing.
        load_size: pixels of the shorter side while a frame is translated; 0: its own.
    """

    smooth: float = 0.0
    crf: int = 18
    load_size: int = 0

    def __post_init__(self) -> None:
        refuse_outside(vars(self), TranslateOptions)
