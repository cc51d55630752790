"""A video that is made: its images are encoded, its sound is carried over, and it appears when it is whole."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
from av.container import InputContainer, OutputContainer

from inference.video.colors import TELEVISION, Palettes, to_frame
from inference.video.formats import Encoder, kind_of
from inference.video.reading import Look, Piece
from inference.video.sound import Track, tracks
from options.errors import UserError
from util.files import whole_file
from util.raster.kinds import Levels

log = logging.getLogger(__name__)

NOT_HANDED_ON = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")


@contextmanager
def opened_writer(
    target: Path, look: Look, *, crf: int, deep: bool = False, sound_of: InputContainer | None = None
) -> "Iterator[VideoWriter]":
    """Make a video; it takes the place of an older one when the body is done, and after an error there is none.

    Args:
        deep: whether the images have more than 8 bits.
        sound_of: a video whose sound, and whose title and the like, it gets.

    Raises:
        UserError: its ending is not known, or it cannot hold what it should.
        OSError: it cannot be written.
    """
    kind = kind_of(target)
    encoder = kind.encoder(crf)
    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as file, _told_of(target):
        container = av.open(file.name, "w", format=kind.container, options=dict(kind.options))
        try:
            stream = _stream(container, encoder, look, crf=crf, deep=deep)
            unit, least = kind.clock(encoder, look.time_base, look.rate)
            stream.codec_context.time_base = unit
            sound = {} if sound_of is None else tracks(sound_of, container, kind.sound, target.name)
            if sound_of is not None:
                described = sound_of.metadata.items()
                container.metadata.update({key: text for key, text in described if key not in NOT_HANDED_ON})
            writer = VideoWriter(container, stream, Clock(look.time_base, unit, least), look, sound)
            yield writer
            writer.finish()
        finally:
            with suppress(av.FFmpegError):  # of a video that is given up
                container.close()


@contextmanager
def _told_of(target: Path) -> Iterator[None]:
    """Let errors name the video, not the file that becomes it."""
    try:
        yield
    except av.FFmpegError as error:
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(target)) from error
        raise UserError(f"{target} cannot be written ({error.strerror}); try another ending, such as .mkv") from error


def _stream(container: OutputContainer, encoder: Encoder, look: Look, *, crf: int, deep: bool) -> "av.VideoStream":
    rate = look.rate.limit_denominator(1001)
    stream = container.add_stream(encoder.name, rate=rate, options=encoder.options(crf))
    assert isinstance(stream, av.VideoStream)
    context = stream.codec_context
    context.width, context.height = look.size
    context.pix_fmt = encoder.pixel_format(look.size, deep=deep)
    if look.aspect:
        context.sample_aspect_ratio = look.aspect
    if context.pix_fmt.startswith("yuv"):
        matrix, primaries, transfer = look.colors
        context.colorspace, context.color_range = matrix, TELEVISION
        context.color_primaries, context.color_trc = primaries, transfer
    return stream


class Clock:
    """Moves times to another unit; each is later than the one before.

    Args:
        given: the unit of times that come in, seconds.
        kept: that of those that come out.
        least: units between two.
    """

    def __init__(self, given: Fraction, kept: Fraction, least: int = 1) -> None:
        self._ratio, self._least = given / kept, least
        self._before: int | None = None

    def time(self, given: int) -> int:
        """Return the time of the next frame."""
        time = round(given * self._ratio)
        self._before = time if self._before is None else max(time, self._before + self._least)
        return self._before

    def duration(self, given: int) -> int:
        """Return a length of time."""
        return round(given * self._ratio)


class VideoWriter:
    """A video that is being made.

    Attributes:
        sound: its tracks, by the number of the source's stream.
        bits: of a value.
    """

    def __init__(
        self, container: OutputContainer, stream: "av.VideoStream", clock: Clock, look: Look, sound: dict[int, Track]
    ) -> None:
        self.sound = sound
        self._container, self._stream, self._clock = container, stream, clock
        form = str(stream.codec_context.pix_fmt)
        self.bits = max(part.bits for part in av.VideoFormat(form).components)
        self._to_frame: Callable[[Levels], av.VideoFrame] = (
            Palettes(look.size) if form == "pal8" else partial(to_frame, colors=look.colors, pixel_format=form)
        )

    def write(self, piece: Piece) -> None:
        """Store a piece: its sound, then its image."""
        for packet in piece.sound:
            if packet.stream.index in self.sound:
                self.sound[packet.stream.index].write(packet)
        if piece.levels is not None:
            frame = self._to_frame(piece.levels)
            frame.pts, frame.time_base = self._clock.time(piece.time), self._stream.codec_context.time_base
            frame.duration = self._clock.duration(piece.duration)
            self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Store what the encoders hold back, and the end of the file."""
        self._container.mux(self._stream.encode(None))
        for track in self.sound.values():
            track.finish()
        self._container.close()
