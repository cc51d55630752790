"""The newest warning of the program, for those who look at the dashboard instead of the log."""

import contextlib
import logging
import time


class LastWarning(logging.Handler):
    """Remembers the newest warning with its time, but none of the dashboard itself."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a warning."""
        if record.name.startswith("util.dashboard"):
            return
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(record.created))
        with contextlib.suppress(TypeError, ValueError):  # a message that does not fit its arguments
            self.text = f"{when}: {record.getMessage()}"


LAST_WARNING = LastWarning()  # the log has one; it begins with the program
