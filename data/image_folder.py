"""Find the pictures below a folder."""

import os
from pathlib import Path

from options.errors import UserError

EXTENSIONS = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".tif", ".tiff")


def list_images(folder: str | Path, limit: float, *, hint: str) -> list[str]:
    """Return the paths of all pictures below ``folder``, sorted, at most ``limit`` of them.

    Args:
        hint: what to do when there are none; ends the message.

    Raises:
        UserError: the folder is missing or holds no picture.
    """
    if not os.path.isdir(folder):
        raise UserError(f"there is no folder {folder}; {hint}")
    found = [
        os.path.join(root, name)
        for root, _, names in os.walk(folder)
        for name in names
        if name.lower().endswith(EXTENSIONS) and not name.startswith(".")
    ]
    if not found:
        raise UserError(f"there are no images in {folder} ({', '.join(EXTENSIONS)}); {hint}")
    return sorted(found)[: int(min(limit, len(found)))]
