"""Keep what was computed of a real set, so that the next evaluation against it need not look at it again."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import PIL
import torch
from torch import Tensor

from options.errors import UserError
from util.checkpoint import load_file
from util.files import whole_file

log = logging.getLogger(__name__)

FORMAT = 1  # raise it when the same images give other rows than before
OFF = "off"


def cache_folder(setting: str) -> Path | None:
    """Return the folder that ``--statistics_cache`` means; None keeps nothing."""
    if setting == OFF:
        return None
    return Path(setting) if setting else Path(torch.hub.get_dir()) / "metric_statistics"


def cache_file(folder: Path, files: Sequence[Path], key: str) -> Path:
    """Name a set as it is now: its files, their sizes and times, and everything else that the rows depend on.

    Raises:
        UserError: a file is not there.
    """
    digest = hashlib.sha256(f"{FORMAT}\0{torch.__version__}\0{PIL.__version__}\0{key}\0".encode())
    for path in files:
        try:
            stat = path.stat()
        except OSError as error:
            raise UserError(f"the image {path} of the real set cannot be read ({error})") from error
        digest.update(f"{path.resolve()}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return folder / f"{digest.hexdigest()[:32]}.pth"


def kept_rows(path: Path) -> list[Tensor]:
    """Return the rows in a cache file, as one batch; none if there is no file, or if it is damaged, which is said."""
    if not path.exists():
        return []
    try:
        rows = load_file(path)["rows"]
    except (UserError, LookupError, TypeError) as error:
        log.warning("the cache file %s is damaged (%s): the real set is computed again", path, type(error).__name__)
        return []
    return [rows] if isinstance(rows, Tensor) and len(rows) else []


def keep_rows(rows: Tensor, path: Path) -> None:
    """Write a cache file; where it cannot be written, say so and go on."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as file:
            torch.save({"rows": rows}, file)
    except (OSError, RuntimeError) as error:  # RuntimeError: torch's word for a full disk
        log.warning("the statistics of the real set could not be kept in %s (%s)", path.parent, error)
