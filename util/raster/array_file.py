"""Arrays as images: npy, and npz with exactly one array."""

import io
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from util.raster.border import Refused, Stream, quiet
from util.raster.kinds import Header, Layout, Levels, Raster, array_color, array_layout, as_levels, kept_dtype, limited

_MAGIC = 8  # bytes, with the version
_LONGEST_HEADER = 10_000  # bytes; more is no header
_HEADERS = {  # bytes of the header's length, and who reads the header
    (1, 0): (2, np.lib.format.read_array_header_1_0),
    (2, 0): (4, np.lib.format.read_array_header_2_0),
}


class _Described(NamedTuple):
    header: Header
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def array_header(file: Stream, file_format: str) -> Header:
    """Describe the image; of an npz no more than the first bytes are inflated."""
    with _member(file, file_format) as (stream, size, name):
        return _describe(stream, size, file_format).header._replace(array_name=name)


def read_array(file: Stream, file_format: str) -> Raster:
    """Read the image; nothing in it can run code."""
    with _member(file, file_format) as (stream, size, _):
        found = _describe(stream, size, file_format)
        data = bytearray(math.prod(found.shape) * found.dtype.itemsize)
        if stream.readinto(data) != len(data):
            raise Refused("the file is cut off")
        stream.read(1)  # at its end an npz is compared with its checksum
    values = np.frombuffer(data, found.dtype).reshape(found.shape, order="F" if found.fortran else "C")
    if values.ndim == 2:
        values = values[:, :, None]
    if found.header.layout == "CHW":
        values = values.transpose(1, 2, 0)
    return Raster(as_levels(values), found.header.color)


def arranged(levels: Levels, layout: Layout = "") -> Levels:
    """Lay H x W x C out as wished if ``array_layout`` finds it again; if not, in the first way in which it does.

    An image with more channels than both rows and columns cannot be told apart; it stays H x W x C.
    """
    orders: tuple[Layout, ...] = (layout, "HW", "HWC", "CHW")
    for order in orders:
        if order == "HW" and levels.shape[2] == 1:
            return levels[:, :, 0]
        values = levels.transpose(2, 0, 1) if order == "CHW" else levels
        if order == array_layout(values.shape)[3]:
            return values
    return levels


@contextmanager
def _member(file: Stream, file_format: str) -> Iterator[tuple[Any, int, str]]:
    """Give the stream of the array, the bytes that it claims to hold, and its name in an npz."""
    if file_format == "NPY":
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        yield file, size, ""
        return
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) != 1:
            raise Refused(f"it holds {len(members)} arrays; an image is one array")
        with archive.open(members[0]) as stream:
            yield stream, members[0].file_size, members[0].filename.removesuffix(".npy")


def _describe(stream: Any, size: int, file_format: str) -> _Described:
    """Read what stands before the numbers; the stream stands at the first number afterwards."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise Refused(f"its npy version is {version[0]}.{version[1]}; 1.0 and 2.0 are read")
    field, read = _HEADERS[version]
    stated = stream.read(field)
    length = int.from_bytes(stated, "little")
    if length > _LONGEST_HEADER:
        raise Refused(f"its header says that it is {length} bytes long itself")
    with quiet():  # it warns of headers that Python 2 wrote
        shape, fortran, dtype = read(io.BytesIO(stated + stream.read(length)))
    height, width, channels, layout = array_layout(shape)
    header = limited(Header(file_format, width, height, channels, kept_dtype(dtype), array_color(channels), layout))
    limited(header._replace(dtype=dtype))  # float64 is larger before it is float32
    if math.prod(shape) * dtype.itemsize > size - _MAGIC - field - length:
        raise Refused("the file is cut off")
    return _Described(header, shape, fortran, dtype)
