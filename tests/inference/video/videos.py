"""Tiny videos, made with PyAV alone, and what is in a video; a run that keeps or turns around what it sees."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn

from inference.direction import Direction
from inference.translator import Translator
from inference.video import VideoSettings, translate_video
from options.data import Range
from tests.images import an_image
from tests.optional import need

need("av")

import av as av  # noqa: E402  # where it is missing the tests are skipped

Pixels = npt.NDArray[Any]  # H x W x 3
SIZE = (48, 32)  # width, height
RATE = Fraction(30000, 1001)
NEAR = 4.0  # levels by which an image may differ on average after two encodings, at the usual quality
LOUD, SOUND_RATE = 8000, 48000
CODECS = {".mp4": "libx264", ".mkv": "libx264", ".mov": "libx264", ".ts": "libx264", ".avi": "mpeg4", ".gif": "gif"}


class Found(NamedTuple):
    """What a video holds.

    Attributes:
        times: of the frames, seconds.
        sound: for each track its packets, and the second of each.
    """

    pixels: list[Pixels]
    times: list[float]
    sound: list[list[tuple[bytes, float]]]
    size: tuple[int, int]
    rate: Fraction | None
    codec: str
    pixel_format: str
    seconds: float
    kinds: list[str]


def moving(count: int, size: tuple[int, int] = SIZE) -> list[Pixels]:
    """Draw images that slide by, each its own; colours change slowly, as videos store them at half the size."""
    width, height = size[0] + 4 * count, size[1]
    wide = np.asarray(an_image(7, (width // 8, height // 8)).resize((width, height), Image.Resampling.BICUBIC))
    return [np.ascontiguousarray(wide[:, 4 * step : 4 * step + size[0]]) for step in range(count)]


def write_video(
    path: Path,
    pixels: Sequence[Pixels],
    *,
    rate: Fraction = RATE,
    times: Sequence[int] | None = None,
    unit: Fraction | None = None,
    tracks: int = 0,
    pixel_format: str = "",
    group: int = 12,
) -> Path:
    """Write a video of good quality.

    Args:
        times: of the frames, in units of ``unit`` seconds; None spaces them evenly.
        tracks: of sound, a hum each.
        group: frames from which on one does not need those before.
    """
    codec = CODECS[path.suffix]
    odd = any(side % 2 for side in pixels[0].shape[:2])
    with av.open(str(path), "w") as video:
        stream: Any = video.add_stream(codec, rate=rate, options={"crf": "4"} if codec == "libx264" else {})
        stream.height, stream.width = pixels[0].shape[:2]
        stream.pix_fmt = pixel_format or ("rgb8" if codec == "gif" else "yuv444p" if odd else "yuv420p")
        stream.codec_context.gop_size = group
        stream.codec_context.time_base = unit or 1 / rate
        hums = [video.add_stream("aac", rate=SOUND_RATE) for _ in range(tracks)]
        for number, image in enumerate(pixels):
            frame = av.VideoFrame.from_ndarray(image, "rgb24" if image.dtype == np.uint8 else "rgb48le")
            frame = frame.reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = times[number] if times else number, unit or 1 / rate
            video.mux(stream.encode(frame))
        video.mux(stream.encode(None))
        for number, hum in enumerate(hums):
            video.mux(_hummed(hum, 220 * (number + 1), float(len(pixels) / rate)))
    return path


def _hummed(stream: Any, pitch: float, seconds: float) -> list[Any]:
    """Return the packets of a tone."""
    packets = []
    for start in range(0, int(seconds * SOUND_RATE), 1024):
        wave = LOUD * np.sin(2 * np.pi * pitch * np.arange(start, start + 1024) / SOUND_RATE)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.int16).repeat(2)[None], "s16", "stereo")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, start, Fraction(1, SOUND_RATE)
        packets += stream.encode(frame)
    return packets + list(stream.encode(None))


def read_video(path: Path) -> Found:
    """Read all of a video."""
    with av.open(str(path)) as video:
        stream = video.streams.video[0]
        frames: list[Any] = []
        sound: dict[int, list[tuple[bytes, float]]] = {one.index: [] for one in video.streams.audio}
        for packet in video.demux():
            if packet.stream.type == "audio" and packet.size:
                sound[packet.stream.index].append((bytes(packet), float(packet.pts * packet.time_base)))
            elif packet.stream.index == stream.index:
                frames += packet.decode()
        context = stream.codec_context
        return Found(
            [frame.to_ndarray(format="rgb24") for frame in frames],
            [float(frame.pts * frame.time_base) for frame in frames],
            list(sound.values()),
            (context.width, context.height),
            stream.average_rate,
            context.name,
            str(context.pix_fmt),
            (video.duration or 0) / 1e6,
            [one.type for one in video.streams],
        )


def translated(source: Path, name: str, run: Translator | None = None, **settings: Any) -> Found:
    """Translate a video, by the run that changes nothing unless another is given; read what comes of it."""
    target = source.parent / name
    translate_video(run or run_of(), source, target, VideoSettings(**settings))
    return read_video(target)


def distance(one: Pixels, other: Pixels) -> float:
    """Return by how many levels two images differ on average."""
    return float(np.abs(one.astype(float) - other).mean())


def run_of(
    network: nn.Module | None = None, *, channels: tuple[int, int] = (3, 3), limits: Range | None = None
) -> Translator:
    """Return a run whose network gives back what it gets, or does what it is told."""
    way = Direction("AtoB", network or nn.Identity(), "G", *channels, "resnet_1blocks", 4, limits, limits)
    return Translator({"AtoB": way}, torch.device("cpu"), precision="fp32", source="checkpoints/tiny")


class Negative(nn.Module):
    """Turns bright into dark."""

    def forward(self, image: Tensor) -> Tensor:
        """N x C x H x W in [-1, 1]."""
        return -image
