"""The frame around the commands of this package: one sentence and exit code 2 for a user's mistake."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from options.errors import UserError


def command_parser(name: str, text: str | None, epilog: str = "") -> argparse.ArgumentParser:
    """Give a parser whose help shows the text as it is written."""
    return argparse.ArgumentParser(
        prog=name, description=text, epilog=epilog, formatter_class=argparse.RawDescriptionHelpFormatter
    )


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


@contextmanager
def writing_to(target: Path) -> Iterator[None]:
    """Make the folder around ``target`` for work that ends in ``target`` itself.

    Raises:
        UserError: ``target`` exists already, or the work inside met an ``OSError``.
    """
    if target.exists():
        raise UserError(f"{target} exists already; remove it or choose another place")
    make_folder(target.parent)
    try:
        yield
    except OSError as error:
        raise UserError(f"cannot write to {target.parent} ({error.strerror or error}); free some space") from error
