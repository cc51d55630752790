"""What visitors send: looked at before anything of it is decoded."""

from dataclasses import dataclass

from inference.inputs import InputImage, read_input_bytes
from options.errors import TooLargeError, UserError
from util.raster.kinds import Header
from util.raster.reading import read_header

DEPTHS = {"uint8": "8 bits", "uint16": "16 bits", "int16": "16 bits", "float32": "floats"}


class NoImageError(UserError):
    """It is no image, or a damaged one."""


@dataclass(frozen=True)
class Limits:
    """How much is taken.

    Attributes:
        bytes: of a file.
        pixels: of an image.
        files: that are taken together.
    """

    bytes: int
    pixels: int
    files: int = 50


def read_image(data: bytes, name: str, limits: Limits, *, load_size: int = 0) -> InputImage:
    """Decode an image that is not too large.

    Args:
        data: its file.
        name: what the visitor calls it.
        load_size: pixels of the shorter side while it is translated; 0: its own.

    Raises:
        TooLargeError: it has too many pixels, or would have.
        NoImageError: it cannot be read.
    """
    header = checked_header(data, name, limits)
    if load_size:
        shorter, longer = sorted((header.width, header.height))
        if load_size * load_size * longer / shorter > limits.pixels:
            raise TooLargeError(
                f"the image {name}, {_size(header)}, would have more than {limits.pixels:,} pixels with {load_size} "
                f"on its shorter side; take a smaller load_size, or the image's own size"
            )
    try:
        return read_input_bytes(data, name)
    except UserError as error:
        raise NoImageError(str(error)) from error


def checked_header(data: bytes, name: str, limits: Limits) -> Header:
    """Describe an image by the first bytes of its file; raises as ``read_image``."""
    advice = f"at most {limits.pixels:,} are translated here; make it smaller"
    if len(data) > limits.bytes:
        raise TooLargeError(f"the image {name} has {len(data):,} bytes; at most {limits.bytes:,} are taken here")
    try:
        header = read_header(name, data)
    except TooLargeError as error:
        raise TooLargeError(f"the image {name} has too many pixels; {advice}") from error
    except UserError as error:
        raise NoImageError(str(error)) from error
    if header.width * header.height > limits.pixels:
        raise TooLargeError(f"the image {name} has {_size(header)} pixels; {advice}")
    return header


def described(header: Header) -> str:
    """Say what an image is, such as ``256 x 256, rgb, 8 bits``."""
    color = f"{header.channels} channels" if header.color == "channels" else header.color
    return f"{_size(header)}, {color}, {DEPTHS.get(str(header.dtype), str(header.dtype))}"


def _size(header: Header) -> str:
    return f"{header.width} x {header.height}"
