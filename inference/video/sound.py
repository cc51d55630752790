"""The sound of a video in another one: packet by packet as it is, or in the target's own form."""

import logging
from typing import Any

import av
from av.container import InputContainer, OutputContainer

log = logging.getLogger(__name__)

OPUS_RATE = 48000  # the one that it always takes


class Copied:
    """A track that stays as it is; of a damaged one, packets without a time after the one before are left out."""

    def __init__(self, target: OutputContainer, stream: "av.AudioStream") -> None:
        self._target, self._stream = target, stream
        self._before: int | None = None

    def write(self, packet: "av.Packet[Any]") -> None:
        """Store its bytes."""
        time = packet.dts if packet.dts is not None else packet.pts
        if time is None or (self._before is not None and time <= self._before):
            return
        self._before = packet.dts = time
        packet.stream = self._stream
        try:
            self._target.mux(packet)
        except av.FFmpegError as error:
            if isinstance(error, OSError):  # such as a full disk; else the packet's content is no sound
                raise

    def finish(self) -> None:
        """Do nothing: all is stored."""


class Converted:
    """A track that is decoded and encoded again; what cannot be decoded is left out."""

    def __init__(self, target: OutputContainer, source: "av.AudioStream", encoder: str) -> None:
        self._target, self._source = target, source
        rate = OPUS_RATE if encoder == "libopus" else source.rate
        stream = target.add_stream(encoder, rate=rate)
        assert isinstance(stream, av.AudioStream)
        self._stream = stream
        self._stream.layout = "mono" if source.channels == 1 else "stereo"  # type: ignore[assignment]

    def write(self, packet: "av.Packet[Any]") -> None:
        """Decode it, encode it."""
        try:
            frames = self._source.decode(packet)  # type: ignore[arg-type]  # it is one of this stream
        except av.FFmpegError:
            return
        for frame in frames:
            self._target.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Encode what has not filled a packet."""
        self._target.mux(self._stream.encode(None))


Track = Copied | Converted


def tracks(source: InputContainer, target: OutputContainer, encoder: str, name: object) -> dict[int, Track]:
    """Add the sound of a video to another one; say what changes or stays behind.

    Args:
        encoder: what makes of sound that the target does not take one that it does; empty: it has no sound.
        name: the target's, for the log.

    Returns:
        Where packets go, by the number of their stream.
    """
    found: dict[int, Track] = {}
    for stream in source.streams.audio:
        track = _track(stream, target, encoder, name)
        if track is not None:
            found[stream.index] = track
    left = sorted({one.type for one in source.streams if one.type not in ("video", "audio")})
    if left:
        log.warning("%s gets no %s of its source", name, " and no ".join(left))
    return found


def _track(stream: "av.AudioStream", target: OutputContainer, encoder: str, name: object) -> Track | None:
    codec = stream.codec_context.name if stream.codec_context else "unknown"
    if not encoder:
        log.warning("%s cannot hold sound; the source's (%s) is left out", name, codec)
        return None
    try:
        if _lacks_its_header(stream, target):
            raise ValueError
        made = target.add_stream_from_template(stream)
    except ValueError:  # the container does not take it, or PyAV does not know it
        if stream.codec_context is None:
            log.warning("%s cannot hold sound of the source's kind, which is left out", name)
            return None
        log.warning("%s cannot hold sound as %s; it becomes %s", name, codec, encoder)
        return Converted(target, stream, encoder)
    made.metadata.update(stream.metadata)
    return Copied(target, made)


def _lacks_its_header(stream: "av.AudioStream", target: OutputContainer) -> bool:
    """Return whether it is AAC of a broadcast, which describes itself packet by packet; AVI does not take that."""
    context = stream.codec_context
    return target.format.name == "avi" and context is not None and context.name == "aac" and not context.extradata
