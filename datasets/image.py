"""Read and write the 8-bit colour images that the commands of this package work on.

What such an image cannot hold (arrays, other channels than colours, more than 8 bits) is refused, not cut.
"""

import io
import os
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from datasets.command import make_folder
from options.errors import UserError
from util.raster.border import opened
from util.raster.kinds import ARRAYS, EXTENSIONS, FORMATS, Header
from util.raster.reading import read_header

READ_ONLY = (".pgm", ".pnm", ".webp", *ARRAYS)
WRITTEN = {ending: kind for ending, kind in FORMATS.items() if ending not in READ_ONLY}
Size = tuple[int, int]


def images_below(folder: Path) -> list[Path]:
    """List all that trainings read in a folder and its sub-folders, relative to it, sorted; hidden files stay out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())
    names = (path.relative_to(folder) for path in found)
    return sorted(name for name in names if not any(part.startswith(".") for part in name.parts))


def measure(path: Path) -> Size:
    """Give width and height as a viewer shows the image, from the head of its file.

    Raises:
        UserError: as ``open_rgb``.
    """
    header = read_header(path)
    more = _beyond_8_bit_colours(header)
    if more:
        raise UserError(
            f"{path} {more}, which the 8-bit colour images of this command cannot hold; convert it or move it away "
            "(--dataset_mode aligned reads such files as they are from two folders trainA and trainB)"
        )
    return header.width, header.height


def open_rgb(path: Path) -> Image.Image:
    """Read an image as a viewer shows it: turned as its EXIF says, transparency on white, as RGB.

    Raises:
        UserError: it cannot be read, or is more than an 8-bit image of colours.
    """
    measure(path)  # refuses what Pillow would cut without a word
    with opened(path) as file, Image.open(file) as image:
        return on_white(ImageOps.exif_transpose(image))


def on_white(image: Image.Image) -> Image.Image:
    """Give an RGB copy; what is transparent becomes white, for its hidden colours are arbitrary."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    solid = image.convert("RGBA")
    white = Image.new("RGBA", solid.size, "white")
    white.alpha_composite(solid)
    return white.convert("RGB")


def side_by_side(left: Image.Image, right: Image.Image) -> Image.Image:
    """Join two images of equal height, A left and B right."""
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def save(image: Image.Image, path: Path, **settings: Any) -> None:
    """Write an image in the format its name asks for, whole or not at all.

    Args:
        settings: Pillow's, such as ``quality``; a JPEG is 95 and keeps its full colour resolution.

    Raises:
        UserError: the file cannot be written.
    """
    kind = WRITTEN[path.suffix.lower()]
    defaults = {"quality": 95, "subsampling": 0} if kind == "JPEG" else {}  # else the colours of A and B would mix
    partial = path.with_name(f".{path.name}.partial")
    make_folder(path.parent)
    try:
        buffer = io.BytesIO()
        image.save(buffer, format=kind, **(defaults | settings))
        partial.write_bytes(buffer.getvalue())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(
            f"cannot write {path} ({error.strerror or error}); free some space or choose another"
        ) from error


def _beyond_8_bit_colours(header: Header) -> str:
    """Say what makes a file more than an 8-bit image of colours; empty if nothing does."""
    if header.file_format in ("NPY", "NPZ"):
        return f"is an {header.file_format} array"
    if header.color == "channels":
        return f"has {header.channels} channels that are no colours"
    return "has more than 8 bits a channel" if header.dtype != "uint8" else ""
