"""A video as upright images in their order, with the sound between them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

import av
from av.container import InputContainer
from av.stream import Disposition

from inference.video.colors import Colors, bits_of, colors_of, to_levels
from inference.video.decoding import Decoder
from options.errors import UserError
from util.raster.kinds import Levels

log = logging.getLogger(__name__)

USUAL_RATE = Fraction(25)  # where a video does not say


class Look(NamedTuple):
    """What a video is like.

    Attributes:
        size: width and height, upright.
        aspect: width of a pixel by its height, upright; 0 if the video does not say.
        rate: frames per second on average.
        time_base: unit of its times, seconds.
        frames: in all; 0 if unknown, sometimes a guess.
    """

    size: tuple[int, int]
    aspect: Fraction
    rate: Fraction
    time_base: Fraction
    colors: Colors
    frames: int = 0


class Piece(NamedTuple):
    """An image of a video and the sound that was stored before it.

    Attributes:
        levels: H x W x 3, uint8 or uint16; None behind the last image.
        time: when it is shown, in units of the video's ``time_base``; the video begins at 0.
        duration: likewise; 0 if unknown.
    """

    levels: Levels | None
    time: int
    duration: int
    sound: "tuple[av.Packet[Any], ...]" = ()


@contextmanager
def opened_video(path: Path, *, threads: str = "SLICE") -> "Iterator[VideoReader]":
    """Open a video and decode its first frame.

    Args:
        threads: ``AUTO`` decodes several frames at once; where a video breaks off, that loses some more.

    Raises:
        UserError: it is no video, or has no frame that can be decoded.
        OSError: it cannot be read.
    """
    try:
        container = av.open(str(path))
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise UserError(f"{path} is no video, or damaged at its beginning ({error.strerror})") from error
    with container:
        decoder = Decoder(container, _images(path, container, threads))
        frames = decoder.decode()
        sound, first = next(frames)
        if first is None:
            raise UserError(f"no frame of {path} can be decoded; the video is damaged or empty")
        if first.interlaced_frame:
            log.warning("%s is interlaced: moving edges are combs, which the network sees, too", path)
        yield VideoReader(decoder, first, chain([(sound, first)], frames))


def images_of(container: InputContainer, name: object) -> "av.VideoStream":
    """Return the stream of images; covers of music are none.

    Raises:
        UserError: there is none, or it cannot be decoded.
    """
    streams = [one for one in container.streams.video if not one.disposition & Disposition.attached_pic]
    if not streams:
        kinds = ", ".join(sorted({one.type for one in container.streams if one.type != "video"})) or "nothing"
        raise UserError(f"{name} has no images, only {kinds}; give a video")
    if streams[0].codec_context is None:
        raise UserError(f"the images of {name} are stored in a way that the installed PyAV does not know")
    return streams[0]


def _images(path: Path, container: InputContainer, threads: str) -> "av.VideoStream":
    form = container.format.name
    if form.endswith("_pipe") or form == "image2":
        raise UserError(f"{path} is an image ({form.removesuffix('_pipe')}) and no video; let its name end as one")
    stream = images_of(container, path)
    stream.thread_type = threads  # type: ignore[assignment]  # it takes words, too
    return stream


class VideoReader:
    """A video that has been opened.

    Attributes:
        look: what it is like.
        bits: of a value.
        container: as PyAV has it.
    """

    def __init__(
        self,
        decoder: Decoder,
        first: "av.VideoFrame",
        frames: "Iterator[tuple[list[av.Packet[Any]], av.VideoFrame | None]]",
    ) -> None:
        self.container, self._decoder, self._frames = decoder.container, decoder, frames
        self.bits = bits_of(first)
        self._stored, self._turn = (first.width, first.height), quarter_turns(first)
        self.look = look_of(decoder, first)
        self._done, self._end = 0, Fraction(0)

    def pieces(self, *, deep: bool) -> "Iterator[Piece]":
        """Yield image after image, once; the last piece has none.

        Args:
            deep: as uint16 instead of uint8.
        """
        unit = self.look.time_base
        step, begin, before = max(1, round(1 / (self.look.rate * unit))), self._decoder.begin(unit), -1
        for sound, frame in self._frames:
            if frame is None:
                yield Piece(None, before + step, 0, tuple(sound))
                return
            time = before + step if frame.pts is None else frame.pts - begin
            before = time = max(time, before + 1)  # some videos go back in time
            duration = int(frame.duration or 0)
            self._done, self._end = self._done + 1, (time + (duration or step)) * unit
            levels = to_levels(frame, self.look.colors, deep=deep, size=self._stored, turn=self._turn)
            yield Piece(levels, time, duration, tuple(sound))

    def lost(self) -> int:
        """Return about how many frames are missing, when all pieces were taken; 0 in a whole video."""
        if not (self._decoder.problems or self._decoder.breaks_off()):
            return 0
        expected = max(self._end, self._decoder.end()) * self.look.rate
        return max(1, round(expected) - self._done)


def quarter_turns(frame: "av.VideoFrame") -> int:
    """Return how often a frame must be turned to the left by 90 degrees until it is upright."""
    return int(round(frame.rotation / 90)) % 4


def look_of(decoder: Decoder, frame: "av.VideoFrame") -> Look:
    """Describe a video by one of its frames."""
    stream = decoder.stream
    rate = stream.average_rate or stream.guessed_rate or USUAL_RATE
    size, aspect = (frame.width, frame.height), stream.sample_aspect_ratio or Fraction(0)
    if quarter_turns(frame) % 2:
        size, aspect = size[::-1], 1 / aspect if aspect else aspect
    frames = stream.frames or round(decoder.length * rate)
    return Look(size, aspect, rate, stream.time_base or 1 / rate, colors_of(frame), frames)
