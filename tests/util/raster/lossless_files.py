"""One writer for each lossless kind of image file, none of them ours; each keeps the numbers that it is given."""

import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import tifffile
from PIL import Image

from util.raster.kinds import Color

Levels = npt.NDArray[Any]
SIZES = [(1, 1), (7, 5), (48, 64), (1, 300), (300, 2)]  # height, width


class Kind(NamedTuple):
    """A kind of file: what ``write`` makes of H x W x channels levels of ``dtype`` is to be read as ``color``."""

    suffix: str
    file_format: str
    color: Color
    channels: int
    dtype: str
    write: Callable[[Levels, Path], object]
    layout: str = ""  # of more than one channel

    @property
    def order(self) -> str:
        """Return the order of the axes that a header is to tell."""
        if self.file_format not in ("TIFF", "NPY", "NPZ"):
            return ""
        return "HW" if self.channels == 1 else self.layout or "HWC"


def levels_of(kind: Kind, size: tuple[int, int], seed: int = 0) -> Levels:
    """Draw numbers over the whole range of the type; floats also beyond 0 and 1."""
    random, shape = np.random.default_rng(seed), (*size, kind.channels)
    if kind.dtype.startswith("float"):
        return random.normal(0, 3, shape).astype(kind.dtype)
    limits = np.iinfo(kind.dtype)
    return random.integers(limits.min, limits.max, shape, kind.dtype, endpoint=True)


def flat(levels: Levels) -> Levels:
    return levels[:, :, 0] if levels.shape[2] == 1 else levels


def expected(kind: int, row: Sequence[int], above: Sequence[int], x: int, step: int) -> int:
    """Return what a PNG filter of this kind expects at byte ``x`` of a row."""
    left, up, corner = (row[x - step], above[x], above[x - step]) if x >= step else (0, above[x], 0)
    nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
    return (0, left, up, (left + up) // 2, nearest)[kind]


def read_png(path: Path) -> Levels:
    """Read a 16-bit PNG byte after byte, checking all that the specification says."""
    data, place, chunks = path.read_bytes(), 8, {}
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    while place < len(data):
        length, name = struct.unpack_from(">I4s", data, place)
        chunks[name] = data[place + 8 : place + 8 + length]
        assert struct.unpack_from(">I", data, place + 8 + length)[0] == zlib.crc32(name + chunks[name])
        place += length + 12
    assert list(chunks) == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, kind, *methods = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, methods) == (16, [0, 0, 0])
    step = 2 * {0: 1, 4: 2, 2: 3, 6: 4}[kind]
    lines = zlib.decompress(chunks[b"IDAT"])
    assert len(lines) == height * (1 + width * step)
    rows = [bytearray(width * step)]
    for y in range(height):
        kind, *line = lines[y * (1 + width * step) :][: 1 + width * step]
        rows.append(bytearray())
        for x, byte in enumerate(line):
            rows[-1].append((byte + expected(kind, rows[-1], rows[-2], x, step)) % 256)
    return np.frombuffer(b"".join(rows[1:]), ">u2").astype(np.uint16).reshape(height, width, -1)


def png(levels: Levels, path: Path) -> None:
    """Write a 16-bit PNG byte after byte as the specification says, with another filter in each row."""
    height, width, channels = levels.shape
    step = 2 * channels
    rows = [row.astype(">u2").tobytes() for row in levels]
    out, above = bytearray(), bytes(width * step)
    for y, row in enumerate(rows):
        out.append(y % 5)
        out += bytes((byte - expected(y % 5, row, above, x, step)) % 256 for x, byte in enumerate(row))
        above = row
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(out))),
        (b"IEND", b""),
    ]
    parts = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def netpbm(levels: Levels, path: Path) -> None:
    height, width, channels = levels.shape
    largest = np.iinfo(levels.dtype).max
    head = f"P{6 if channels == 3 else 5}\n# a comment\n{width} {height}\n{largest}\n"
    path.write_bytes(head.encode() + levels.astype(levels.dtype.newbyteorder(">")).tobytes())


def _pillow(**options: Any) -> Callable[[Levels, Path], object]:
    return lambda levels, path: Image.fromarray(flat(levels)).save(path, **options)


def _cmyk(levels: Levels, path: Path) -> None:
    Image.frombytes("CMYK", (levels.shape[1], levels.shape[0]), levels.tobytes()).save(path)


def _tiff(**options: Any) -> Callable[[Levels, Path], object]:
    return lambda levels, path: tifffile.imwrite(path, flat(levels), **options)


def _planar(photometric: str, **options: Any) -> Callable[[Levels, Path], object]:
    options = {"photometric": photometric, "planarconfig": "separate", **options}
    return lambda levels, path: tifffile.imwrite(path, np.moveaxis(levels, 2, 0), **options)


def _pages(**options: Any) -> Callable[[Levels, Path], object]:
    options = {"photometric": "minisblack", **options}
    return lambda levels, path: tifffile.imwrite(path, np.ascontiguousarray(np.moveaxis(levels, 2, 0)), **options)


def _npy(levels: Levels, path: Path) -> None:
    np.save(path, flat(levels))


def _npy_planes(levels: Levels, path: Path) -> None:
    np.save(path, np.moveaxis(levels, 2, 0))


def _npy_fortran(levels: Levels, path: Path) -> None:
    np.save(path, np.asfortranarray(levels))


_CONTIG = {"photometric": "minisblack", "planarconfig": "contig"}
_ALPHA = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
KINDS = {
    "png gray": Kind(".png", "PNG", "gray", 1, "uint8", _pillow()),
    "png gray+alpha": Kind(".png", "PNG", "gray+alpha", 2, "uint8", _pillow()),
    "png rgb": Kind(".png", "PNG", "rgb", 3, "uint8", _pillow()),
    "png rgba": Kind(".png", "PNG", "rgba", 4, "uint8", _pillow()),
    "png gray 16 by pillow": Kind(".png", "PNG", "gray", 1, "uint16", _pillow()),
    "png gray 16": Kind(".png", "PNG", "gray", 1, "uint16", png),
    "png gray+alpha 16": Kind(".png", "PNG", "gray+alpha", 2, "uint16", png),
    "png rgb 16": Kind(".png", "PNG", "rgb", 3, "uint16", png),
    "png rgba 16": Kind(".png", "PNG", "rgba", 4, "uint16", png),
    "bmp gray": Kind(".bmp", "BMP", "gray", 1, "uint8", _pillow()),
    "bmp rgb": Kind(".bmp", "BMP", "rgb", 3, "uint8", _pillow()),
    "ppm": Kind(".ppm", "PPM", "rgb", 3, "uint8", _pillow()),
    "pgm": Kind(".pgm", "PPM", "gray", 1, "uint8", netpbm),
    "ppm 16": Kind(".ppm", "PPM", "rgb", 3, "uint16", netpbm),
    "pgm 16": Kind(".pgm", "PPM", "gray", 1, "uint16", netpbm),
    "webp rgb": Kind(".webp", "WEBP", "rgb", 3, "uint8", _pillow(lossless=True)),
    "webp rgba": Kind(".webp", "WEBP", "rgba", 4, "uint8", _pillow(lossless=True, exact=True)),
    "tiff gray": Kind(".tif", "TIFF", "gray", 1, "uint8", _pillow()),
    "tiff gray+alpha": Kind(".tif", "TIFF", "gray+alpha", 2, "uint8", _pillow()),
    "tiff rgb lzw": Kind(".tiff", "TIFF", "rgb", 3, "uint8", _pillow(compression="tiff_lzw")),
    "tiff rgba deflated": Kind(".tif", "TIFF", "rgba", 4, "uint8", _pillow(compression="tiff_adobe_deflate")),
    "tiff cmyk": Kind(".tif", "TIFF", "cmyk", 4, "uint8", _cmyk),
    "tiff gray 16": Kind(".tif", "TIFF", "gray", 1, "uint16", _pillow()),
    "tiff gray 16 big-endian": Kind(".tif", "TIFF", "gray", 1, "uint16", _tiff(byteorder=">")),
    "tiff float by pillow": Kind(".tif", "TIFF", "gray", 1, "float32", _pillow()),
    "tiff float": Kind(".tif", "TIFF", "gray", 1, "float32", _tiff(compression="zlib")),
    "tiff uint32": Kind(".tif", "TIFF", "gray", 1, "uint32", _tiff()),
    "tiff int32": Kind(".tif", "TIFF", "gray", 1, "int32", _tiff()),
    "tiff int16": Kind(".tif", "TIFF", "gray", 1, "int16", _tiff()),
    "tiff rgb 16": Kind(".tif", "TIFF", "rgb", 3, "uint16", _tiff(photometric="rgb")),
    "tiff rgb 16 big-endian": Kind(".tif", "TIFF", "rgb", 3, "uint16", _tiff(photometric="rgb", byteorder=">")),
    "tiff rgb 16 predicted": Kind(
        ".tif", "TIFF", "rgb", 3, "uint16", _tiff(photometric="rgb", compression="zlib", predictor=True)
    ),
    "tiff rgba 16": Kind(".tif", "TIFF", "rgba", 4, "uint16", _tiff(**_ALPHA)),
    "tiff rgb 16 planar": Kind(".tif", "TIFF", "rgb", 3, "uint16", _planar("rgb"), "CHW"),
    "tiff rgb float": Kind(".tif", "TIFF", "rgb", 3, "float32", _tiff(photometric="rgb")),
    "tiff rgba float": Kind(".tif", "TIFF", "rgba", 4, "float32", _tiff(**_ALPHA)),
    "tiff cmyk 16": Kind(".tif", "TIFF", "cmyk", 4, "uint16", _tiff(photometric="separated")),
    "tiff 2 bytes": Kind(".tif", "TIFF", "channels", 2, "uint8", _tiff(**_CONTIG)),
    "tiff 3 bytes": Kind(".tif", "TIFF", "channels", 3, "uint8", _tiff(**_CONTIG)),
    "tiff 5 bytes": Kind(".tif", "TIFF", "channels", 5, "uint8", _tiff(**_CONTIG)),
    "tiff rgb and 2 more": Kind(
        ".tif", "TIFF", "channels", 5, "uint8", _tiff(photometric="rgb", planarconfig="contig")
    ),
    "tiff rgb and infrared": Kind(
        ".tif", "TIFF", "channels", 4, "uint8", _tiff(photometric="rgb", extrasamples=["unspecified"])
    ),
    "tiff 13 words": Kind(".tif", "TIFF", "channels", 13, "uint16", _tiff(**_CONTIG)),
    "tiff 6 planes": Kind(".tif", "TIFF", "channels", 6, "float32", _planar("minisblack"), "CHW"),
    "tiff 4 pages": Kind(".tif", "TIFF", "channels", 4, "uint8", _pages(metadata=None), "CHW"),
    "tiff 4 deep pages": Kind(".tif", "TIFF", "channels", 4, "uint16", _pages(metadata=None), "CHW"),
    "tiff axis C": Kind(".tif", "TIFF", "channels", 5, "uint16", _pages(metadata={"axes": "CYX"}), "CHW"),
    "tiff axis C last": Kind(
        ".tif", "TIFF", "channels", 100, "uint16", _tiff(photometric="minisblack", metadata={"axes": "YXC"})
    ),
    "tiff 5 plain planes": Kind(".tif", "TIFF", "channels", 5, "uint8", _planar("minisblack", metadata=None), "CHW"),
    "tiff 2 deep planes": Kind(".tif", "TIFF", "channels", 2, "uint16", _planar("minisblack", metadata=None), "CHW"),
    "tiff rgb and 2 more planes": Kind(".tif", "TIFF", "channels", 5, "uint8", _planar("rgb", metadata=None), "CHW"),
    "tiff cmyk planes": Kind(".tif", "TIFF", "cmyk", 4, "uint8", _planar("separated"), "CHW"),
    "tiff imagej": Kind(".tif", "TIFF", "channels", 3, "float32", _pages(imagej=True), "CHW"),
    "tiff ome": Kind(".ome.tif", "TIFF", "channels", 3, "uint16", _pages(ome=True), "CHW"),
    "tiff big": Kind(".tif", "TIFF", "rgb", 3, "uint16", _tiff(photometric="rgb", bigtiff=True)),
    "tiff tiled": Kind(".tif", "TIFF", "rgb", 3, "uint16", _tiff(photometric="rgb", tile=(16, 16))),
    "npy": Kind(".npy", "NPY", "gray", 1, "float32", _npy),
    "npy big-endian": Kind(".npy", "NPY", "gray", 1, "uint16", lambda a, p: np.save(p, flat(a).astype(">u2"))),
    "npy last": Kind(".npy", "NPY", "rgb", 3, "uint8", _npy),
    "npy first": Kind(".npy", "NPY", "channels", 4, "int16", _npy_planes, "CHW"),
    "npy fortran": Kind(".npy", "NPY", "channels", 2, "uint32", _npy_fortran),
    "npz": Kind(".npz", "NPZ", "channels", 5, "float32", lambda a, p: np.savez_compressed(p, a)),
    "npz stored": Kind(".npz", "NPZ", "gray", 1, "int32", lambda a, p: np.savez(p, anything=flat(a))),
}


def holds(name: str, size: tuple[int, int]) -> bool:
    """Tell whether a file of this kind and size says what its axes are: a bare array does so by their lengths."""
    if name == "tiff imagej" and size[1] == 1:  # tifffile takes the last axis for one sample
        return False
    kind = KINDS[name]
    return kind.channels == 1 or kind.suffix not in (".npy", ".npz") or min(size) >= kind.channels
