"""Turn an image as its EXIF orientation says."""

import re
import struct
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from util.raster.kinds import Levels

ORIENTATION = 0x0112  # tag
_SHORT = 3  # its type
_IN_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_IN_TEXT = "Raw profile type exif"  # where older programs put it into a PNG
_PLACES = ("exif", "xmp", "XML:com.adobe.xmp", _IN_TEXT)

_TURNS: dict[int, Callable[[Levels], Levels]] = {
    2: lambda levels: levels[:, ::-1],
    3: lambda levels: levels[::-1, ::-1],
    4: lambda levels: levels[::-1],
    5: lambda levels: levels.swapaxes(0, 1),
    6: lambda levels: levels.swapaxes(0, 1)[:, ::-1],
    7: lambda levels: levels[::-1, ::-1].swapaxes(0, 1),
    8: lambda levels: levels.swapaxes(0, 1)[::-1],
}


def orientation_of(info: Mapping[Any, Any]) -> int:
    """Return the EXIF orientation, 1 to 8, from what Pillow found beside the pixels; 1 where it is damaged.

    Pillow's own reader reads all of a block, and prints warnings of damaged ones.
    """
    if not any(place in info for place in _PLACES):
        return 1
    block = info.get("exif") or _unpacked(info.get(_IN_TEXT, ""))
    found = _in_exif(block)
    if found is None:
        text = info.get("XML:com.adobe.xmp") or info.get("xmp") or b""
        match = _IN_XMP.search(text.encode() if isinstance(text, str) else text)
        found = int(match[1]) if match else 1
    return found if found in _TURNS else 1


def turned(levels: Levels, orientation: int) -> Levels:
    """Return the upright image, C-contiguous; the same array if it is upright already."""
    turn = _TURNS.get(orientation)
    return np.ascontiguousarray(turn(levels)) if turn else levels


def turned_size(width: int, height: int, orientation: int) -> tuple[int, int]:
    """Return width and height of the upright image."""
    return (height, width) if orientation >= 5 else (width, height)


def _in_exif(block: bytes) -> int | None:
    """Find the orientation in an EXIF block, which is a little TIFF file."""
    while block.startswith(b"Exif\0\0"):
        block = block[6:]
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(order + "4xI", block)
        (entries,) = struct.unpack_from(order + "H", block, start)
        for place in range(start + 2, start + 2 + 12 * entries, 12):
            tag, kind, value = struct.unpack_from(order + "HH4xH", block, place)
            if tag == ORIENTATION:
                return int(value) if kind == _SHORT else None
    except struct.error:  # it ends too early
        return None
    return None


def _unpacked(text: str) -> bytes:
    """Return the bytes that a PNG's text block spells: a line feed, a name, a length, then hexadecimal digits."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return b""
