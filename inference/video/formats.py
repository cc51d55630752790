"""What a video's ending decides: its container, how images are encoded in it, which sound it takes, which times."""

import logging
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av

from inference.video.settings import WRITTEN
from options.errors import UserError

log = logging.getLogger(__name__)

QSCALE = 118  # FFmpeg's unit of MPEG-4's quantiser, FF_QP2LAMBDA
LARGEST_CLOCK = 65535  # ticks per second that MPEG-4 can write


class Encoder(NamedTuple):
    """A way of storing images.

    Attributes:
        name: FFmpeg's.
        even: the pixel format where both sides are even.
        odd: where one is odd.
        deep: the two for more than 8 bits; empty if it has none.
    """

    name: str
    even: str
    odd: str
    deep: tuple[str, ...] = ()

    def pixel_format(self, size: tuple[int, int], *, deep: bool) -> str:
        """Return how it stores images of a size."""
        formats = self.deep if deep and self.deep else (self.even, self.odd)
        return formats[any(side % 2 for side in size)]

    def options(self, crf: int) -> dict[str, str]:
        """Return its options for a quality, in which 0 is the best."""
        options: Mapping[str, dict[str, str]] = {
            "libx264": {"crf": str(crf), "preset": "medium"},
            "libvpx-vp9": {"crf": str(crf), "b": "0", "row-mt": "1", "deadline": "good", "cpu-used": "4"},
            "mpeg4": {"flags": "+qscale", "global_quality": str(QSCALE * max(1, crf // 6))},
            "ffv1": {"level": "3", "slicecrc": "1"},
        }
        return options.get(self.name, {})


H264 = Encoder("libx264", "yuv420p", "yuv444p", ("yuv420p10le", "yuv444p10le"))
MPEG4 = Encoder("mpeg4", "yuv420p", "yuv420p")
VP9 = Encoder("libvpx-vp9", "yuv420p", "yuv420p")
FFV1 = Encoder("ffv1", "bgr0", "bgr0", ("gbrp16le", "gbrp16le"))
GIF = Encoder("gif", "pal8", "pal8")
FAST_START = (("movflags", "+faststart"),)
FROM_ZERO = (("avoid_negative_ts", "disabled"),)  # sound that begins early would leave a hole before the second frame


class Kind(NamedTuple):
    """What an ending stands for.

    Attributes:
        container: FFmpeg's name.
        encoders: those that its videos are made with, best first.
        sound: the encoder of sound that it cannot take as it is; empty: it has none.
        options: of the container.
        lossless: what stores images without loss.
        even_times: whether frames lie on a grid of times, of the video's rate.
    """

    container: str
    encoders: tuple[Encoder, ...]
    sound: str
    options: tuple[tuple[str, str], ...] = ()
    lossless: Encoder | None = None
    even_times: bool = False

    def encoder(self, crf: int) -> Encoder:
        """Choose one that this machine has.

        Raises:
            UserError: there is none.
        """
        wanted = (self.lossless,) if self.lossless and crf == 0 else self.encoders
        there = [one for one in wanted if one.name in av.codecs_available]
        if not there:
            names = " or ".join(one.name for one in wanted)
            raise UserError(f"the installed PyAV cannot write {self.container} videos, it lacks {names}; take .mkv")
        if there[0] != wanted[0]:
            log.warning("the installed PyAV lacks %s; videos are made with %s", wanted[0].name, there[0].name)
        return there[0]

    def clock(self, encoder: Encoder, time_base: Fraction, rate: Fraction) -> tuple[Fraction, int]:
        """Return the unit of time in which frames are stored, and how many of them must lie between two at least."""
        if self.container == "gif":
            return Fraction(1, 100), 2  # browsers slow down what is faster
        if self.even_times or (encoder == MPEG4 and time_base.denominator > LARGEST_CLOCK):
            return (1 / rate).limit_denominator(LARGEST_CLOCK), 1
        return time_base, 1


KINDS = {
    ".mp4": Kind("mp4", (H264, MPEG4), "aac", FAST_START),
    ".m4v": Kind("mp4", (H264, MPEG4), "aac", FAST_START),
    ".mov": Kind("mov", (H264, MPEG4), "aac", FAST_START),
    ".mkv": Kind("matroska", (H264, MPEG4), "aac", lossless=FFV1),
    ".webm": Kind("webm", (VP9,), "libopus"),
    ".avi": Kind("avi", (MPEG4,), "libmp3lame", FROM_ZERO, lossless=FFV1, even_times=True),
    ".gif": Kind("gif", (GIF,), ""),
}


def kind_of(target: Path) -> Kind:
    """Return what the ending of a video to be written stands for.

    Raises:
        UserError: it is none of those that can be written.
    """
    kind = KINDS.get(target.suffix.lower())
    if kind is None:
        raise UserError(f"{target} cannot be written; videos end in {', '.join(WRITTEN)}")
    return kind
