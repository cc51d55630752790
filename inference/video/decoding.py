"""The frames of a video that can be decoded, and what was seen of damage on the way."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer

MICROSECOND = Fraction(1, 1_000_000)
KNOW_THEIR_END = ("mp4", "matroska", "avi")  # containers; others guess it from what is there
EARLY = Fraction(1, 4)  # seconds


class Decoder:
    """Goes through a video once.

    Times are those of the video less its beginning, which in some videos is 1.4 seconds or an hour.

    Attributes:
        stream: the images.
        problems: packets and frames that were damaged so far.
    """

    def __init__(self, container: InputContainer, stream: "av.VideoStream") -> None:
        self.container, self.stream = container, stream
        self.problems = 0
        self._ends = {stream.index: Fraction(0)}  # of what was read of each stream, seconds

    def decode(self) -> "Iterator[tuple[list[av.Packet[Any]], av.VideoFrame | None]]":
        """Yield each frame with the packets of sound before it; last of all None, with the sound behind the video."""
        sound: list[av.Packet[Any]] = []
        for packet in self._packets():
            if packet.stream.index == self.stream.index:
                for frame in self._frames(packet):
                    yield sound, frame
                    sound = []
            elif packet.stream.type == "audio" and packet.size:
                begin = self.begin(packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts - begin
                packet.dts = None if packet.dts is None else packet.dts - begin
                sound.append(packet)
        yield sound, None

    def begin(self, time_base: Fraction) -> int:
        """Return the time at which the video begins."""
        return round(max(0, self.container.start_time or 0) * MICROSECOND / time_base)

    @property
    def length(self) -> Fraction:
        """Seconds that the video says it lasts; 0 if it does not."""
        return (self.container.duration or 0) * MICROSECOND

    def end(self) -> Fraction:
        """Return the seconds after which the images should have ended, when all was read."""
        knows = any(name in self.container.format.name for name in KNOW_THEIR_END)
        missing = self.length - max(self._ends.values())
        return self._ends[self.stream.index] + (missing if knows and missing > EARLY else 0)

    def breaks_off(self) -> bool:
        """Return whether the video is shorter than it says, when all was read."""
        return self.end() > self._ends[self.stream.index]

    def _packets(self) -> "Iterator[av.Packet[Any]]":
        try:
            for packet in self.container.demux():
                if packet.size and packet.pts is not None:
                    end = (packet.pts + (packet.duration or 0) - self.begin(packet.time_base)) * packet.time_base
                    self._ends[packet.stream.index] = max(end, self._ends.get(packet.stream.index, end))
                yield packet
        except av.FFmpegError:
            self.problems += 1

    def _frames(self, packet: "av.Packet[Any]") -> "list[av.VideoFrame]":
        self.problems += packet.is_corrupt
        try:
            frames: list[av.VideoFrame] = self.stream.decode(packet)  # type: ignore[arg-type]  # it is one of this stream
        except av.FFmpegError:
            self.problems += 1
            return []
        self.problems += sum(frame.is_corrupt for frame in frames)
        return frames
