"""TIFF: plain ones through Pillow, which is fast, all others through tifffile."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from util.raster.border import Refused, Stream, quiet
from util.raster.kinds import Color, Header, Layout, Levels, Raster, array_layout, as_levels, kept_dtype, limited
from util.raster.pillow_file import KINDS, decoded_by_pillow, described_by_pillow
from util.raster.upright import ORIENTATION, turned, turned_size

if TYPE_CHECKING:
    from PIL.TiffImagePlugin import TiffImageFile
    from tifffile import TiffFile, TiffPage, TiffPageSeries

MOST_PAGES = 4096

_INVERTED, _GRAY, _RGB, _CMYK = 0, 1, 2, 5  # photometric interpretations
_CONVERTED = {3: "a palette", 6: "YCbCr", 8: "CIELAB", 9: "ICCLAB", 10: "ITULAB"}  # others, only Pillow converts them
_BITS, _PHOTOMETRIC, _DESCRIPTION, _SAMPLES, _PLANAR = 258, 262, 270, 277, 284  # tags
_SEPARATE = 2  # planar configuration
_STACKS = ('{"shape"', "ImageJ=")  # how the descriptions begin that may say that one page is several
_ALPHA = (1, 2)  # of the kinds of extra samples
_COLORS: dict[tuple[int, int, bool], Color] = {  # by photometric interpretation, samples, and whether one is alpha
    (_INVERTED, 1, False): "gray",
    (_GRAY, 1, False): "gray",
    (_INVERTED, 2, True): "gray+alpha",
    (_GRAY, 2, True): "gray+alpha",
    (_RGB, 3, False): "rgb",
    (_RGB, 4, True): "rgba",
    (_CMYK, 4, False): "cmyk",
}


class _Described(NamedTuple):
    header: Header  # upright
    axes: str
    orientation: int


def tiff_header(file: Stream) -> Header:
    """Describe the image."""
    with quiet():
        image = _by_pillow(file)
        if image is not None:
            header = described_by_pillow(image, "TIFF")  # its size is upright already
            planes = image.tag_v2.get(_PLANAR) == _SEPARATE
            return header._replace(layout=_layout(header.channels, planes=planes))
        with _tifffile(file) as tif:
            return _describe(tif).header


def read_tiff(file: Stream) -> Raster:
    """Read the image."""
    with quiet():
        image = _by_pillow(file)
        if image is not None:
            color = described_by_pillow(image, "TIFF").color
            return Raster(decoded_by_pillow(image), color)  # Pillow turns a TIFF itself
        with _tifffile(file) as tif:
            found = _describe(tif)
            values = _pixels(tif.series[0])
            inverted = tif.pages.first.photometric == _INVERTED
    levels = as_levels(_channels_last(values, found))
    if inverted and levels.dtype.kind == "u":
        levels = np.iinfo(levels.dtype).max - levels
    return Raster(turned(levels, found.orientation), found.header.color)


def _pixels(series: "TiffPageSeries") -> Levels:
    """Decode all pages; tifffile would make black of what is not in the file."""
    pieces = math.prod(series.keyframe.chunked)
    if all(page is not None and len(page.dataoffsets) >= pieces for page in series):
        values: Levels = series.asarray(maxworkers=1)
        if values.shape == series.shape:
            return values
    raise Refused("its pixels are missing")


def _by_pillow(file: Stream) -> "TiffImageFile | None":
    """Open the image with Pillow if that reads all of it, or if only that makes colours of its numbers."""
    from PIL.TiffImagePlugin import TiffImageFile

    try:
        image = TiffImageFile(file)
    except SyntaxError:  # what it does not know
        return None
    photometric = image.tag_v2.get(_PHOTOMETRIC)
    deep = KINDS.get(image.mode, KINDS["L"]).dtype == np.uint8 and max(image.tag_v2.get(_BITS, (1,))) > 8
    dropped = any("X" in str(tile[3]) for tile in image.tile)
    dropped = dropped or image.tag_v2.get(_SAMPLES, 1) > len(image.getbands())  # planes that it passes over
    if image.mode not in KINDS or image.mode == "I" or deep or dropped:  # "I" ends before uint32 does
        return None
    if image.mode.startswith("I;16") and photometric == _INVERTED:  # it would not invert them
        return None
    stacked = image.is_animated or str(image.tag_v2.get(_DESCRIPTION, "")).startswith(_STACKS)
    return image if photometric in _CONVERTED or not stacked else None


@contextmanager
def _tifffile(file: Stream) -> Iterator["TiffFile"]:
    """Open the image with tifffile, which says nothing and looks into no other file.

    Raises:
        Refused: it takes a package that is not installed.
    """
    import tifffile

    file.seek(0)
    try:
        with tifffile.TiffFile(file, name="", is_ome=False, is_mmstack=False, is_ndtiff=False) as tif:
            yield tif
    except Exception as error:
        if "imagecodecs" not in str(error):
            raise
        reason = "its compression or packing needs the package imagecodecs"
        raise Refused(reason, "type pip install imagecodecs") from error


def _describe(tif: "TiffFile") -> _Described:
    if not _count_pages(tif) or not tif.series:
        raise Refused("it holds no image, or is cut off")
    series, page = tif.series[0], tif.pages.first
    axes = series.axes
    if tif.is_shaped and axes == "QYX":  # an array that tifffile was given without a word about its axes
        axes = "SYX" if array_layout(series.shape)[3] == "CHW" else "YXS"
    size = dict(zip(axes, series.shape, strict=True))
    if 0 in series.shape or not {"Y", "X"} <= set(axes):
        raise Refused("it holds no image")
    channels = math.prod(series.shape) // (size["Y"] * size["X"])
    color = _color(page)
    if page.samplesperpixel != channels:
        color = "channels"
    orientation = int(page.tags.valueof(ORIENTATION, default=1) or 1)
    width, height = turned_size(size["X"], size["Y"], orientation)
    layout = _layout(channels, planes=axes.endswith("YX"))
    header = Header("TIFF", width, height, channels, kept_dtype(series.dtype), color, layout)
    limited(header._replace(dtype=series.dtype))  # float64 is larger before it is float32
    return _Described(limited(header), axes, orientation)


def _count_pages(tif: "TiffFile") -> int:
    """Return the number of pages, gone through once, since tifffile itself follows a circle of them without end."""
    offsets: set[int] = set()
    while True:
        try:
            offset = tif.pages[len(offsets)].offset
        except IndexError:
            return len(offsets)
        if offset in offsets:
            raise Refused("its pages form a circle")
        offsets.add(offset)
        if len(offsets) > MOST_PAGES:
            raise Refused(f"it has more than {MOST_PAGES} pages")


def _layout(channels: int, *, planes: bool) -> Layout:
    return "HW" if channels == 1 else "CHW" if planes else "HWC"


def _color(page: "TiffPage") -> Color:
    """Return what the samples of a pixel mean."""
    photometric, samples, extra = int(page.photometric), page.samplesperpixel, tuple(page.extrasamples)
    if photometric in _CONVERTED:
        raise Refused(f"its colours are {_CONVERTED[photometric]} of a kind that is not read", "save it as RGB")
    alpha = len(extra) == 1 and extra[0] in _ALPHA or (photometric == _RGB and samples == 4 and not extra)
    return _COLORS.get((photometric, samples, alpha), "channels")


def _channels_last(values: Levels, found: _Described) -> Levels:
    """Bring H and W to the front and make one axis of all others, the samples of a pixel last."""
    others = [place for place, axis in enumerate(found.axes) if axis not in "YXS"]
    order = [found.axes.index("Y"), found.axes.index("X"), *others]
    if "S" in found.axes:
        order.append(found.axes.index("S"))
    height, width = (values.shape[place] for place in order[:2])
    stacked: Levels = values.transpose(order).reshape(height, width, -1)
    return stacked
