"""How a program ends early: by a mistake that the user can fix, or by a signal."""

from collections.abc import Sequence


class UserError(ValueError):
    """A mistake in flags, data or files; its message is one sentence that says what to do.

    Entry points print it without a traceback and exit with code 2.
    """


class TooLargeError(UserError):
    """An image is larger than any that is read at once."""


class NoImagesError(UserError):
    """There is nothing where images were looked for."""


class SharedError(UserError):
    """A mistake that all processes of a training have met, at the same step."""


class LostProcessError(UserError):
    """Another process of the training is gone or silent, so that nothing can be done together any more."""


class DivergedError(UserError):
    """The losses or weights are no longer numbers; what was learned since the last save is worthless."""


class CannotSaveError(UserError):
    """The disk refused a save; what was saved before is whole."""


class DamagedError(UserError):
    """A file is not what was written, or was never what it should be."""


class StoppedError(Exception):
    """A signal asked the program to stop."""

    def __init__(self, name: str, exit_code: int) -> None:
        super().__init__(f"stopped by {name}")
        self.name, self.exit_code = name, exit_code


def first_few(names: Sequence[str], most: int = 5) -> str:
    """Name the first of many in a sentence, and say how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
