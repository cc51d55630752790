"""The border between files, which hold anything, and the program: whatever is wrong becomes one sentence."""

import io
import logging
import os
import re
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from options.errors import UserError

Stream = BinaryIO

_LONGEST_REASON = 200  # some decoders quote the file
_SPOKEN = (OSError, SyntaxError, ValueError, RuntimeError)  # they come with a reason, others with a place in the code
_STANDARD_ERROR = 2
_OF_LIBTIFF = re.compile(rb"(tempfile\.tif|\w*(TIFF|Lib|Decode|Setup|State|Fax|Required|Estimate)\w*): ")


class Refused(Exception):  # noqa: N818  # never leaves the package
    """The file cannot be read, and why; ``opened`` makes it a sentence."""

    def __init__(self, reason: str, advice: str = "repair or remove it") -> None:
        super().__init__(reason)
        self.advice = advice


@contextmanager
def opened(path: str | os.PathLike[str], data: bytes | None = None) -> Iterator[Stream]:
    """Open an image file; whatever goes wrong with it until it is closed names it.

    Args:
        data: the bytes of the file, if they are here already; the path is only its name then.

    Raises:
        UserError: the file is missing, may not be read, or holds no image that can be read.
    """
    try:
        with Path(path).open("rb") if data is None else io.BytesIO(data) as file:
            yield file
    except Refused as error:
        raise UserError(f"cannot read the image {path} ({error}); {error.advice}") from error
    except FileNotFoundError as error:
        raise UserError(f"cannot read the image {path} (there is no such file); check the path") from error
    except PermissionError as error:
        raise UserError(f"cannot read the image {path} (no permission); check who may read it") from error
    except Exception as error:  # decoders raise anything on damaged bytes, and it is always the file
        raise UserError(f"cannot read the image {path} ({_reason(error)}); repair or remove it") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what the decoders say through Python.

    Not for every file: ignoring warnings makes others, of the whole program, forget that they were shown once.
    """
    loggers = [logging.getLogger(name) for name in ("PIL", "tifffile")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def silent() -> Iterator[None]:
    """Silence what libtiff says of a damaged file; it writes to the standard error itself.

    What other threads say there in the meantime is handed on afterwards. Only the main thread does this, so that no
    two threads can end with each other's file.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    with tempfile.TemporaryFile() as said:
        kept = os.dup(_STANDARD_ERROR)
        os.dup2(said.fileno(), _STANDARD_ERROR)
        try:
            yield
        finally:
            os.dup2(kept, _STANDARD_ERROR)
            os.close(kept)
            said.seek(0)
            for line in said:
                if not _OF_LIBTIFF.match(line):
                    os.write(_STANDARD_ERROR, line)


def _reason(error: Exception) -> str:
    """Return in one line what a decoder found."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    text = " ".join((error.strerror or str(error) if isinstance(error, OSError) else str(error)).split())
    text = text[:_LONGEST_REASON] or type(error).__name__
    return text if isinstance(error, _SPOKEN) else f"it is damaged: {text}"
