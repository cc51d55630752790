"""Frames of a video to arrays of red, green and blue, and back; 256 colours for each frame of a GIF.

Videos store brightness and two differences, by one of several matrices (ITU-T H.273, table 4); which one is written in
the video, or else follows from its size. The target says which one it uses, and that its values are those of television
(16 to 235), whatever the source's are.
"""

from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
from av.filter import Graph

from util.raster.kinds import Levels

BT601, BT709, BT2020 = 5, 1, 9
MATRICES = {1: BT709, 5: BT601, 6: BT601, 9: BT2020}  # of those that videos name; 5 and 6 are one
TELEVISION = 1  # the range of values
UNKNOWN = 2  # what H.273 calls unspecified
LARGE = 720  # rows from which on a video that does not say is taken for high definition


class Colors(NamedTuple):
    """How colours are stored.

    Attributes:
        matrix: of H.273, as swscale knows it.
        primaries: of H.273; what red, green and blue are. They are handed on.
        transfer: of H.273; how values become light. Handed on, too.
    """

    matrix: int
    primaries: int
    transfer: int


def colors_of(frame: "av.VideoFrame") -> Colors:
    """Return how a video's frames store colours."""
    by_size = BT709 if frame.height >= LARGE else BT601
    primaries, transfer = getattr(frame, "color_primaries", UNKNOWN), getattr(frame, "color_trc", UNKNOWN)  # PyAV 16
    return Colors(MATRICES.get(int(frame.colorspace), by_size), int(primaries), int(transfer))


def bits_of(frame: "av.VideoFrame") -> int:
    """Return the bits of a value."""
    return int(max(part.bits for part in frame.format.components))


def to_levels(frame: "av.VideoFrame", colors: Colors, *, deep: bool, size: tuple[int, int], turn: int) -> Levels:
    """Return a frame as H x W x 3 of uint8, or of uint16 if ``deep``.

    Args:
        size: width and height as stored; a frame of another size is scaled.
        turn: quarter turns to the left that make it upright.
    """
    given: dict[str, Any] = {"src_colorspace": colors.matrix, "src_color_range": int(frame.color_range)}
    given["dst_colorspace"] = BT601 if colors.matrix == BT709 else BT709  # RGB has none; PyAV 16 ignores equal ones
    wanted = "rgb48le" if deep else "rgb24"
    rgb = frame.reformat(*size, format=wanted, **({} if frame.format.is_rgb else given))
    return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), turn))


def to_bytes(levels: Levels) -> Levels:
    """Return uint8 or uint16 as uint8."""
    return levels if levels.dtype == np.uint8 else np.uint8(levels >> 8)


def to_frame(levels: Levels, colors: Colors, pixel_format: str) -> "av.VideoFrame":
    """Return H x W x 3 of uint8 or uint16 as a frame."""
    rgb = av.VideoFrame.from_ndarray(levels, "rgb24" if levels.dtype == np.uint8 else "rgb48le")
    if pixel_format in ("bgr0", "gbrp16le"):
        return rgb.reformat(format=pixel_format)
    return rgb.reformat(format=pixel_format, dst_colorspace=colors.matrix, dst_color_range=TELEVISION)


class Palettes:
    """Chooses 256 colours for each image by itself; regular dots of them stand for the colours between.

    Args:
        size: width and height of the images.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self._graph = graph = Graph()
        source = graph.add_buffer(
            width=size[0], height=size[1], format=av.VideoFormat("rgb24"), time_base=Fraction(1, 100)
        )
        both, choose = graph.add("split"), graph.add("palettegen", "stats_mode=single")
        use, sink = graph.add("paletteuse", "dither=bayer:bayer_scale=3:new=1"), graph.add("buffersink")
        source.link_to(both)
        both.link_to(choose, 0, 0)
        both.link_to(use, 1, 0)
        choose.link_to(use, 0, 1)
        use.link_to(sink)
        graph.configure()
        self._count = 0

    def __call__(self, levels: Levels) -> "av.VideoFrame":
        """Return an image, H x W x 3 of uint8 or uint16, as a frame of colour numbers."""
        frame = av.VideoFrame.from_ndarray(to_bytes(levels), "rgb24")
        frame.pts, frame.time_base = self._count, Fraction(1, 100)
        self._count += 1
        self._graph.push(frame)
        made = self._graph.pull()
        assert isinstance(made, av.VideoFrame)
        return made
