"""The images that a run has shown so far: the held-out samples in bounded memory, and the newest ones on its disk."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from util.curves.traces import thin
from util.images import ImageArray
from util.run_folder import image_files, sample_sheets
from util.sinks.events import Images

LIMIT = 32  # sheets; about 5 MB


class Sheets:
    """Sheets from the first to the newest; when there are too many, some are left out, evenly.

    Attributes:
        version: changes when older sheets are left out, so that appending is not enough.
    """

    def __init__(self, items: Iterable[bytes] = ()) -> None:
        self._numbered = list(enumerate(thin(list(items), LIMIT)))
        self._stride = 1
        self.version = 0

    @property
    def items(self) -> list[bytes]:
        """JPEG files, oldest first."""
        return [jpeg for _, jpeg in self._numbered]

    def add(self, jpeg: bytes) -> None:
        """Append the newest."""
        self._numbered.append((self._numbered[-1][0] + 1 if self._numbered else 0, jpeg))
        if len(self._numbered) > LIMIT:
            *older, newest = self._numbered
            while len(even := [item for item in older if item[0] % self._stride == 0]) > 3 * LIMIT // 4:
                self._stride *= 2
            self._numbered = [*even, newest]
            self.version += 1


def read_sheets(folder: Path, *, last_epoch: int) -> Sheets:
    """Return the sheets that a run has written so far.

    Args:
        folder: of the run.
        last_epoch: later ones are of a part that will be trained again.
    """
    found = [(epoch, path) for epoch, path in sample_sheets(folder) if epoch <= last_epoch]
    return Sheets(path.read_bytes() for _, path in thin(found, LIMIT) if _pixels(path) is not None)


def read_images(folder: Path, *, last_epoch: int, images_seen: int) -> Images | None:
    """Return the newest images that a run has written, in the order in which it wrote them, if there are any.

    Args:
        images_seen: to go with them.
    """
    files = [(epoch, label, path) for epoch, label, path in image_files(folder) if epoch <= last_epoch]
    if not files:
        return None
    newest = max(epoch for epoch, _, _ in files)
    last = [(path.stat().st_mtime_ns, label, path) for epoch, label, path in files if epoch == newest]
    images = {label: pixels for _, label, path in sorted(last) if (pixels := _pixels(path)) is not None}
    return Images(newest, images_seen, images) if images else None


def _pixels(path: Path) -> ImageArray | None:
    """Read an image, or nothing where a full disk or a kill has left half of it."""
    try:
        with Image.open(path) as image:
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError):
        return None
