"""The one exception that means: the user can fix this."""


class UserError(ValueError):
    """A mistake in flags, data or files; its message is one sentence that says what to do.

    Entry points print it without a traceback and exit with code 2.
    """
