"""Read and write the 8-bit colour pictures that the commands of this package work on.

Pictures that would lose something (16 bits a channel, floating point) are refused, not cut.
"""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageFile, ImageOps

from datasets.command import make_folder
from options.errors import UserError

FORMATS = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".ppm": "PPM",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
BITS_PER_SAMPLE, SAMPLE_FORMAT, UNSIGNED = 258, 339, 1  # of TIFF 6.0
ORIENTATION, LYING = 0x0112, {5, 6, 7, 8}  # of EXIF: turned by 90 degrees, so width and height change places
Size = tuple[int, int]


def pictures_below(folder: Path) -> list[Path]:
    """List the pictures of a folder and its sub-folders, relative to it and sorted; hidden files stay out."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in FORMATS and path.is_file())
    names = (path.relative_to(folder) for path in found)
    return sorted(name for name in names if not any(part.startswith(".") for part in name.parts))


def measure(path: Path) -> Size:
    """Give width and height as a viewer shows the picture, from the head of its file.

    Raises:
        UserError: as ``open_rgb``.
    """
    with _opened(path) as image:
        width, height = image.size
        return (height, width) if image.getexif().get(ORIENTATION) in LYING else (width, height)


def open_rgb(path: Path) -> Image.Image:
    """Read a picture as a viewer shows it: turned as its EXIF says, transparency on white, as RGB.

    Raises:
        UserError: it cannot be read, or has more than 8 bits a channel.
    """
    with _opened(path) as image:
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
    """Join two pictures of equal height, A left and B right."""
    both = Image.new("RGB", (left.width + right.width, left.height))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both


def save(image: Image.Image, path: Path, **settings: Any) -> None:
    """Write a picture in the format its name asks for, whole or not at all.

    Args:
        settings: Pillow's, such as ``quality``; a JPEG is 95 and keeps its full colour resolution.

    Raises:
        UserError: the file cannot be written.
    """
    kind = FORMATS[path.suffix.lower()]
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


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            if _is_deep(image):
                raise UserError(
                    f"{path} has more than 8 bits a channel, which this command would lose; leave such pictures in two "
                    "folders trainA and trainB, which --dataset_mode aligned reads as they are"
                )
            yield image
    except UserError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError(f"cannot read the picture {path} ({error}); replace it or remove it") from error


def _is_deep(image: Image.Image) -> bool:
    """Tell whether Pillow would cut the picture's values, which it does without a word."""
    if image.mode.startswith(("I", "F")):
        return True
    tags = getattr(image, "tag_v2", {})
    bits, kinds = tags.get(BITS_PER_SAMPLE, (8,)), tags.get(SAMPLE_FORMAT, (UNSIGNED,))
    if max(bits) > 8 or set(kinds) != {UNSIGNED}:
        return True
    tiles = image.tile if isinstance(image, ImageFile.ImageFile) else []
    return any(
        ";16" in str(args) or (codec.startswith("ppm") and isinstance(args, tuple) and args[-1] > 255)
        for codec, _, _, args in tiles
    )
