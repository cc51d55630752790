"""Images of 256 colours, each with the palette that suits it, for GIF."""

from fractions import Fraction

import av
from av.filter import Graph

from util.raster.kinds import Levels


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
        """Return an image, H x W x 3 of uint8, as a frame of colour numbers."""
        frame = av.VideoFrame.from_ndarray(levels, "rgb24")
        frame.pts, frame.time_base = self._count, Fraction(1, 100)
        self._count += 1
        self._graph.push(frame)
        made = self._graph.pull()
        assert isinstance(made, av.VideoFrame)
        return made
