"""The border between files, which hold anything, and the program: whatever is wrong becomes one sentence."""

import io
import logging
import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from options.errors import TooLargeError, UserError

Stream = BinaryIO

_LONGEST_REASON = 200  # some decoders quote the file
_SPOKEN = (OSError, SyntaxError, ValueError, RuntimeError)  # they come with a reason, others with a place in the code


class Refused(Exception):  # noqa: N818  # never leaves the package
    """The file cannot be read, and why; ``opened`` makes it a sentence."""

    def __init__(self, reason: str, advice: str = "repair or remove it") -> None:
        super().__init__(reason)
        self.advice = advice


class TooLarge(Refused):  # never leaves either
    """There is more of it than is read at once."""


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
    except TooLarge as error:
        raise TooLargeError(f"cannot read the image {path} ({error}); {error.advice}") from error
    except Refused as error:
        raise UserError(f"cannot read the image {path} ({error}); {error.advice}") from error
    except FileNotFoundError as error:
        raise UserError(f"cannot read the image {path} (there is no such file); check the path") from error
    except PermissionError as error:
        raise UserError(f"cannot read the image {path} (no permission); check who may read it") from error
    except Exception as error:  # decoders raise anything on damaged bytes, and it is always the file
        raise UserError(f"cannot read the image {path} ({_reason(error)}); repair or remove it") from error


class _Quiet:
    """What decoders say through Python is silenced while anyone, in any thread, is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                for logger in map(logging.getLogger, ("PIL", "tifffile")):
                    self._undo.callback(logger.setLevel, logger.level)
                    logger.setLevel(logging.CRITICAL + 1)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._undo.close()


_QUIET = _Quiet()


def quiet() -> _Quiet:
    """Silence what the decoders say through Python.

    Not for every file: ignoring warnings makes others, of the whole program, forget that they were shown once.
    """
    return _QUIET


def _reason(error: Exception) -> str:
    """Return in one line what a decoder found."""
    if isinstance(error, MemoryError):
        return "there is not enough memory for it"
    text = " ".join((error.strerror or str(error) if isinstance(error, OSError) else str(error)).split())
    text = text[:_LONGEST_REASON] or type(error).__name__
    return text if isinstance(error, _SPOKEN) else f"it is damaged: {text}"
