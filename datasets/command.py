"""The frame around the commands of this package: one sentence and exit code 2 for a user's mistake."""

import sys
from collections.abc import Callable
from pathlib import Path

from options.errors import UserError


def run_command(name: str, work: Callable[[], None]) -> int:
    """Do the work and give the exit code; a ``UserError`` is printed as one sentence."""
    try:
        work()
    except UserError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{name}: stopped", file=sys.stderr)
        return 130
    return 0


def make_folder(folder: Path) -> None:
    """Create a folder and its parents; raise ``UserError`` where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create the folder {folder} ({error.strerror}); name one you may write to") from error
