"""Images that are damaged at random places, and small files that claim to be, or to become, enormous."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from tests.images import an_image
from tests.util.raster.lossless_files import KINDS, holds, levels_of

SIZE = (13, 17)
HUGE = 200_000_000  # bytes that a small file inflates to; more than the reader may take


class Bomb(NamedTuple):
    """A file, and whether it is read: some are sound but for what nobody asks for."""

    name: str
    data: bytes
    sound: bool = False


def whole_files(folder: Path) -> dict[str, bytes]:
    """Return a sound file of each kind, by name."""
    whole = {}
    for name, kind in KINDS.items():
        if holds(name, SIZE):
            path = folder / f"{name}{kind.suffix}"
            kind.write(levels_of(kind, SIZE), path)
            whole[path.name] = path.read_bytes()
            path.unlink()
    image = an_image(0, (SIZE[1], SIZE[0]))
    exif = Image.Exif()
    exif[0x0112] = 6
    settings: dict[str, dict[str, Any]] = {
        **dict.fromkeys(("palette.png", "palette.bmp", "palette.tif", "rgb.jpg"), {}),
        "turned.jpg": {"exif": exif},
        "progressive.jpg": {"progressive": True},
        "lossy.webp": {"exif": exif.tobytes()},
        "turned.png": {"exif": exif},
        "lzw.tif": {"compression": "tiff_lzw"},
        "jpeg.tif": {"compression": "jpeg"},
        "deflated.tif": {"compression": "tiff_adobe_deflate"},
        "moving.gif": {"save_all": True, "append_images": [image.rotate(90)]},
        "moving.png": {"save_all": True, "append_images": [image.rotate(90)]},
    }
    for name, options in settings.items():
        (image.quantize(9) if name.startswith("palette") else image).save(folder / name, **options)
        whole[name] = (folder / name).read_bytes()
        (folder / name).unlink()
    return whole


def _cut(data: bytearray, random: np.random.Generator) -> bytearray:
    return data[: random.integers(0, len(data))]


def _flip(data: bytearray, random: np.random.Generator) -> bytearray:
    for place in random.integers(0, len(data), random.integers(1, 5)):
        data[place] ^= 1 << random.integers(0, 8)
    return data


def _spoil_the_head(data: bytearray, random: np.random.Generator) -> bytearray:
    """Change bytes of the first 64, where most headers are."""
    for place in random.integers(0, min(64, len(data)), 3):
        data[place] = random.integers(0, 256)
    return data


def _spoil_the_end(data: bytearray, random: np.random.Generator) -> bytearray:
    """Change bytes of the last 256, where the headers of TIFF and zip may be."""
    for place in random.integers(max(0, len(data) - 256), len(data), 3):
        data[place] = random.integers(0, 256)
    return data


def _blank(data: bytearray, random: np.random.Generator) -> bytearray:
    start, length = random.integers(0, len(data)), random.integers(1, 64)
    data[start : start + length] = bytes(len(data[start : start + length]))
    return data


def _fill(data: bytearray, random: np.random.Generator) -> bytearray:
    start = random.integers(0, len(data))
    data[start : start + 8] = b"\xff" * len(data[start : start + 8])
    return data


def _repeat(data: bytearray, random: np.random.Generator) -> bytearray:
    start, end = sorted(random.integers(0, len(data), 2))
    return data[:end] + data[start:]


_DAMAGES: list[Callable[[bytearray, np.random.Generator], bytearray]] = [
    _cut,
    _flip,
    _spoil_the_head,
    _spoil_the_end,
    _blank,
    _fill,
    _repeat,
]


def damaged_files(folder: Path, rounds: int) -> Iterator[tuple[str, bytes]]:
    """Yield each sound file with each damage, ``rounds`` times, under right and wrong names; always the same."""
    random = np.random.default_rng(2024)
    for name, data in whole_files(folder).items():
        for damage in _DAMAGES:
            for number in range(rounds):
                suffix = random.choice([Path(name).suffix, ".png", ".jpg", ".tif", ".npy"])
                yield f"{name} {damage.__name__[1:]} {number}{suffix}", bytes(damage(bytearray(data), random))


def bombs() -> Iterator[Bomb]:
    """Yield small files that say they are large, or that inflate to ``HUGE``."""
    ihdr = _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixel, end = _chunk(b"IDAT", zlib.compress(bytes(4))), _chunk(b"IEND", b"")
    inflated = zlib.compress(bytes(HUGE), 9)
    for depth in (8, 16):
        for width, height in ((60_000, 60_000), (2**31 - 1, 2**31 - 1), (2**31 - 1, 1)):
            head = struct.pack(">IIBBBBB", width, height, depth, 6, 0, 0, 0)
            yield Bomb(f"{width} {depth}.png", _png(_chunk(b"IHDR", head) + pixel + end))
    yield Bomb("pixels.png", _png(ihdr + _chunk(b"IDAT", inflated) + end), sound=True)
    yield Bomb("text.png", _png(ihdr + _chunk(b"zTXt", b"a\0\0" + inflated) + pixel + end))
    yield Bomb("profile.png", _png(ihdr + _chunk(b"iCCP", b"a\0\0" + inflated) + pixel + end))
    jpeg, sizes = _saved("JPEG"), struct.pack(">HH", 65_500, 65_500)
    yield Bomb("65500.jpg", jpeg.replace(struct.pack(">HH", 4, 4), sizes, 1))
    bmp = _saved("BMP")
    yield Bomb("large.bmp", bmp[:18] + struct.pack("<ii", 2**30, 2**30) + bmp[26:])
    yield Bomb("upside down.bmp", bmp[:18] + struct.pack("<ii", 2**30, -(2**31)) + bmp[26:])
    yield Bomb("large.ppm", b"P6 100000 100000 255\n")
    yield Bomb("deep.ppm", b"P6 1000000 1000000 65535\n")
    yield Bomb("large.gif", b"GIF89a" + b"\xff" * 4 + bytes(3) + b"," + bytes(4) + b"\xff" * 4 + b"\0\2\2\x4c\1\0;")
    for side in (2**14, 2**24):
        canvas = (side - 1).to_bytes(3, "little") * 2
        body = b"WEBPVP8X" + struct.pack("<II", 10, 2) + canvas
        yield Bomb(f"{side}.webp", b"RIFF" + struct.pack("<I", len(body)) + body)
    yield from _tiff_bombs(inflated)
    yield from _array_bombs()


def _tiff_bombs(inflated: bytes) -> Iterator[Bomb]:
    for shape in ((60_000, 60_000), (9_000, 9_000, 15), (2**31 - 1, 2**31 - 1)):
        for depth in ("uint8", "uint16"):
            yield Bomb(f"{shape} {depth}.tif", _tiff(shape, np.dtype(depth), 8, b"abc"))
    for depth in ("uint8", "uint16"):
        for compression in (8, 32946):
            bomb = _tiff((2, 2, 3), np.dtype(depth), compression, inflated)
            yield Bomb(f"strip {compression} {depth}.tif", bomb, sound=depth == "uint8")
    yield Bomb("circle.tif", b"II*\0\x08\0\0\0" + b"\0\0" + b"\x08\0\0\0")
    yield Bomb("tags.tif", b"II*\0\x08\0\0\0\xff\xff" + b"\0\1\4\0\xff\xff\xff\xff\x08\0\0\0" * 5000)


def _array_bombs() -> Iterator[Bomb]:
    for text in (
        "(100000, 100000)",
        "(1, 2, 10000000000)",
        "(-1, 5)",
        f"({10**30}, 1)",
        "(9000, 9000, 15)",
        "()",
        "(3,)",
    ):
        npy = _npy(f"{{'descr': '|u1', 'fortran_order': False, 'shape': {text}, }}")
        yield Bomb(f"{text}.npy", npy)
        yield Bomb(f"{text}.npz", _npz(npy))
    yield Bomb("nested.npy", _npy("(" * 5000 + ")" * 5000))
    yield Bomb("header.npy", b"\x93NUMPY\2\0\xff\xff\xff\xff" + bytes(100))
    yield Bomb("header.npz", _npz(b"\x93NUMPY\2\0" + struct.pack("<I", HUGE) + bytes(HUGE)))
    small = _npy("{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }")
    yield Bomb("more than its array.npz", _npz(small + bytes(HUGE)), sound=True)
    yield Bomb("pickle.npy", _npy("{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }"))


def _saved(file_format: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 4)).save(out, file_format)
    return out.getvalue()


def _png(chunks: bytes) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _tiff(shape: tuple[int, ...], dtype: np.dtype[np.generic], compression: int, strip: bytes) -> bytes:
    """Return a TIFF of one strip, whatever it holds."""
    samples = shape[2] if len(shape) == 3 else 1
    bits, values = dtype.itemsize * 8, [(256, shape[1]), (257, shape[0])]
    values += [(259, compression), (262, 2 if samples == 3 else 1), (273, 8), (277, samples), (278, shape[0])]
    values += [(279, len(strip)), (284, 1)]
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in values]
    start = 8 + len(strip)
    entries.insert(2, struct.pack("<HHII", 258, 3, samples, start if samples > 2 else bits))
    table = struct.pack(f"<{samples}H", *[bits] * samples)
    offset = start + len(table)
    return b"II*\0" + struct.pack("<I", offset) + strip + table + struct.pack("<H", 10) + b"".join(entries) + bytes(4)


def _npy(header: str) -> bytes:
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n" + bytes(6)


def _npz(member: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", member)
    return out.getvalue()
