"""Where the program says things: standard output, above the progress bar; the newest warning, for the dashboard."""

import contextlib
import logging
import sys
import time

from tqdm import tqdm


class BarSafeHandler(logging.StreamHandler):  # type: ignore[type-arg]
    """Log to standard output, above the progress bar instead of through it."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        self._failed = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; tqdm lifts the bar away meanwhile."""
        try:
            tqdm.write(self.format(record), file=self.stream)
            self.flush()
        except (OSError, ValueError) as error:  # a closed terminal, a full disk behind a redirection
            if not self._failed and sys.stderr:
                with contextlib.suppress(OSError, ValueError):
                    print(f"the log cannot be written any more ({error})", file=sys.stderr)
            self._failed = True


class LastWarning(logging.Handler):
    """Remembers the newest warning with its time, for those who look at the dashboard; none of the dashboard itself."""

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
