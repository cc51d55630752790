"""The one exception that means: the user can fix this."""


class UserError(ValueError):
    """A mistake in flags, data or files; its message is one sentence that says what to do.

    Entry points print it without a traceback and exit with code 2.
    """


class DivergedError(UserError):
    """The losses or weights are no longer numbers; what was learned since the last save is worthless."""


class CannotSaveError(UserError):
    """The disk refused a save; what was saved before is whole."""
