"""What is refused before it is decoded."""

import io
import tracemalloc
import zlib

import pytest

from inference.app.uploads import Limits, NoImageError, checked_header, read_image
from options.errors import TooLargeError
from tests.images import an_image

LIMITS = Limits(bytes=100_000, pixels=2000)


def png(width: int, height: int) -> bytes:
    out = io.BytesIO()
    an_image(0, (width, height)).save(out, "PNG")
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A PNG of one colour, written row by row: a small file."""
    packer, row = zlib.compressobj(9), bytes(1 + 3 * width)
    pixels = b"".join([packer.compress(row) for _ in range(height)]) + packer.flush()
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunks = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    parts = [
        len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big") for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    ("size", "words"),
    [((20000, 10000), "the image bomb.png has too many pixels"), ((5000, 4000), "bomb.png has 5000 x 4000 pixels")],
)
def test_a_small_file_of_many_pixels_is_refused_before_it_is_decoded(size: tuple[int, int], words: str) -> None:
    data = huge_png(*size)
    limits = Limits(bytes=10_000_000, pixels=10_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(TooLargeError, match=f"{words}; at most 10,000,000 are translated here; make it smaller"):
            read_image(data, "bomb.png", limits)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_large_file_is_refused() -> None:
    with pytest.raises(TooLargeError, match="has 100,001 bytes; at most 100,000 are taken here"):
        checked_header(bytes(100_001), "x.png", LIMITS)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "it is no JPEG, PNG"),
        (b"", "the file is empty"),
        (png(30, 30)[:200], "cannot read the image x.png"),
    ],
)
def test_what_is_no_image_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(NoImageError, match=words):
        read_image(data, "x.png", LIMITS)


def test_an_image_that_would_become_too_large_is_refused() -> None:
    data = png(100, 10)
    assert read_image(data, "x.png", LIMITS, load_size=14).size == (100, 10)
    with pytest.raises(
        TooLargeError, match="x.png, 100 x 10, would have more than 2,000 pixels with 15 on its shorter"
    ):
        read_image(data, "x.png", LIMITS, load_size=15)
