"""The sides of a comparison: ours, in one way or several, and the official code."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from options.errors import UserError

OURS = (
    'flags that ours is measured with, in quotes, or a name, a colon and flags: "fast: --precision bf16"; '
    'give it once for each way to be compared, with "" for the default'
)


@dataclass(frozen=True)
class Side:
    """A way of doing the same work.

    Attributes:
        flags: of this side alone.
        folder: of the official code; empty for ours.
    """

    label: str
    flags: tuple[str, ...] = ()
    folder: str = ""


def add_sides(parser: argparse.ArgumentParser) -> None:
    """Add the flags that name the sides, and how often they take turns."""
    parser.add_argument("--ours", action="append", metavar="FLAGS", help=OURS)
    parser.add_argument("--official", metavar="FOLDER", help="folder of the official code, to measure it as well")
    parser.add_argument("--rounds", type=int, default=3, help="processes per side, in turns; default: %(default)s")
    parser.add_argument(
        "--timeout", type=float, default=3600, metavar="SECONDS", help="most that a process may take; default: an hour"
    )


def parse(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Return the parser's own flags and all others; what follows ``--ours`` is its value, a flag or not."""
    words = list(sys.argv[1:] if argv is None else argv)
    for index in reversed([index for index, word in enumerate(words[:-1]) if word == "--ours"]):
        words[index : index + 2] = [f"--ours={words[index + 1]}"]
    return parser.parse_known_args(words)


def read_sides(args: argparse.Namespace) -> list[Side]:
    """Return the sides that the flags of ``add_sides`` name, ours first.

    Raises:
        UserError: two have one name, or there is no official code.
    """
    sides = [our_side(text) for text in args.ours or [""]]
    if args.official:
        if not (Path(args.official) / "models" / "networks.py").is_file():
            raise UserError(
                f"--official {args.official} is no folder of the official code: it has no models/networks.py"
            )
        sides.append(Side("official", folder=str(Path(args.official).resolve())))
    return distinct(sides)


def distinct(sides: list[Side]) -> list[Side]:
    """Return sides that have names of their own.

    Raises:
        UserError: two have one name.
    """
    labels = [side.label for side in sides]
    if twice := [label for label in labels if labels.count(label) > 1]:
        raise UserError(f'two sides are called {twice[0]}; give one a name: --ours "NAME: FLAGS"')
    return sides


def our_side(text: str) -> Side:
    """Read ``FLAGS`` or ``NAME: FLAGS``; flags without a name are their own."""
    name, flags = ("", text) if text.lstrip().startswith("-") or ":" not in text else text.split(":", 1)
    words = tuple(shlex.split(flags))
    return Side(name.strip() or " ".join(["ours", *(word.lstrip("-") for word in words)]), words)
