"""Find the images below a folder: links are followed, but never round a circle."""

import logging
import os
import time
from pathlib import Path

from data.files.index import Found, Stamp, load_index, save_index, stamp
from data.files.path_list import PathList
from options.errors import NoImagesError, UserError
from util.raster.kinds import EXTENSIONS

LARGE = 20_000  # files, from which on a folder gets an index

log = logging.getLogger(__name__)


def list_images(folder: str | Path, limit: float, *, hint: str) -> PathList:
    """Return the paths of all images below ``folder``, sorted, at most ``limit`` of them.

    A file that several links lead to counts under each name; hidden files and folders are left out.

    Args:
        hint: what to do when there are none; ends the message.

    Raises:
        UserError: the folder is missing, cannot be read or holds no image.
    """
    root = os.fspath(folder)
    if not os.path.isdir(root):
        raise NoImagesError(f"there is no folder {root}; {hint}")
    paths = load_index(root, EXTENSIONS)
    if paths is None:
        paths = _search(root)
    if not paths:
        raise NoImagesError(f"there are no images in {root} ({', '.join(EXTENSIONS)}); {hint}")
    return paths[: int(min(limit, len(paths)))]


def _search(root: str) -> PathList:
    """Look through a folder, and keep an index if it is large."""
    began, walk = time.time_ns(), _Walk(root)
    walk.run()
    if walk.broken:
        log.warning(
            "%d links below %s lead nowhere and are left out, %s for one", len(walk.broken), root, walk.broken[0]
        )
    walk.files.sort()
    if len(walk.files) >= LARGE and not walk.broken:  # what a broken link points to may appear unnoticed
        save_index(root, EXTENSIONS, Found(walk.files, walk.folders, walk.stamps, began))
    return PathList.of(root, walk.files)


class _Walk:
    """One way through a folder and all below it."""

    def __init__(self, root: str) -> None:
        self._root = root
        self.files: list[str] = []
        self.folders: list[str] = []
        self.stamps: list[Stamp] = []
        self.broken: list[str] = []

    def run(self) -> None:
        """Fill the lists with paths below the root."""
        waiting: list[tuple[str, frozenset[tuple[int, int]]]] = [("", frozenset())]  # folder, those above it
        while waiting:
            prefix, above = waiting.pop()
            folder = os.path.join(self._root, prefix)
            try:
                status = os.stat(folder)
                own = (status.st_dev, status.st_ino)
                if own in above:  # a link up
                    continue
                self.folders.append(prefix)
                self.stamps.append(stamp(status))
                branch = above | {own}
                waiting += [(prefix + name + "/", branch) for name in self._read(prefix, folder)]
            except OSError as error:
                raise UserError(
                    f"cannot read the folder {folder} ({error.strerror}); make it readable or move it away"
                ) from error

    def _read(self, prefix: str, folder: str) -> list[str]:
        """Take in the files of a folder; return the names of the folders in it."""
        folders = []
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name.startswith("."):  # .ipynb_checkpoints and the like hold copies
                    continue
                if entry.is_symlink() and not os.path.exists(entry.path):
                    self.broken.append(entry.path)
                elif entry.is_dir():
                    folders.append(name)
                elif name.lower().endswith(EXTENSIONS) and entry.is_file():
                    self.files.append(prefix + name)
        return folders
