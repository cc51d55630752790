"""Dataclass fields to argparse flags with their help, and plain values back to the fields' types."""

import argparse
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, NoReturn, get_args, get_origin

from options.errors import UserError
from options.flag import Flag, as_typed, flags_of

NEGATIVE = re.compile(r"-\.?\d[\d.,eE+-]*$")  # a value such as -500,9000, where argparse sees a flag
HELP, WHOLE_HELP = ("-h", "--help"), "--help-all"
METAVARS: Mapping[type, str] = MappingProxyType({int: "N", float: "NUMBER", str: "TEXT"})


class QuietParser(argparse.ArgumentParser):
    """A parser whose mistakes are a ``UserError``; it guesses no abbreviations."""

    def __init__(self, **settings: Any) -> None:  # Any: whatever argparse takes
        super().__init__(allow_abbrev=False, **settings)
        self._negative_number_matcher = NEGATIVE

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the program."""
        raise UserError(message)


class FlagParser(QuietParser):
    """A parser of flags that dataclasses declare.

    ``--help`` shows those that one needs first, ``--help-all`` every one with its reason.

    Args:
        program: such as ``train.py``; empty for a first look at the command line, which knows no help.
        about: how to use it, a paragraph.
        words: the command line; whether ``--help-all`` is among them decides what a help will show.

    Attributes:
        known: all flags as they are typed, older spellings as well.
    """

    def __init__(self, program: str = "", usage: str = "", about: str = "", words: Sequence[str] = ()) -> None:
        self._whole = WHOLE_HELP in words
        self.known: list[str] = []
        more = "" if self._whole else f"All flags, and when to change them: python {program} {WHOLE_HELP}"
        super().__init__(
            prog=program,
            usage=usage,
            description=about,
            epilog=more,
            add_help=False,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=27),
        )
        if program:
            self.add_argument(*HELP, WHOLE_HELP, action="help", help=argparse.SUPPRESS)

    def add_flags(
        self, table: type, defaults: Mapping[str, Any] = MappingProxyType({}), *, bare_switches: bool = False
    ) -> None:
        """Add the flags of a dataclass.

        Flags get no defaults, so that what was typed can be told from what was not.

        Args:
            defaults: those to show that are not the fields' own.
            bare_switches: let none take ``true`` or ``false``, so that a word behind one is an argument of its own.
        """
        title, *about = inspect.cleandoc(table.__doc__ or "").split("\n\n")
        group = self.add_argument_group(title.rstrip("."), about[0] if about and self._whole else None)
        for flag in flags_of(table).values():
            kind = {"action": "store_true"} if bare_switches and flag.kind is bool else _kind(flag)
            settings: dict[str, Any] = {"dest": flag.name, "default": argparse.SUPPRESS}  # Any: as argparse takes them
            names = [*([f"-{flag.short}"] if flag.short else []), f"--{flag.name}"]
            group.add_argument(*names, **settings, **kind, help=self._help(flag, defaults.get(flag.name, flag.default)))
            for alias in flag.aliases:
                group.add_argument(f"--{alias}", **settings, **kind, help=argparse.SUPPRESS)
            for word, value in flag.shorthands.items():
                constant = {"action": "store_const", "const": value}
                group.add_argument(f"--{word}", **settings, **constant, help=argparse.SUPPRESS)
            self.known += [*names, *(f"--{word}" for word in (*flag.aliases, *flag.shorthands))]

    def _help(self, flag: Flag, default: Any) -> str:
        if not (self._whole or flag.essential):
            return argparse.SUPPRESS
        what, _, why = flag.text.partition(". ")
        value = (flag.otherwise or "none") if default in ("", None) else as_typed(default)
        reason = f". {why}" if why and self._whole else ""
        return f"{what} (default: {value}){reason}".replace("%", "%%")

    def leave(self, mistake: str) -> NoReturn:
        """Print the usage and what is wrong, and end the program with exit code 2."""
        super(QuietParser, self).error(mistake)


def asks_for_help(words: Sequence[str]) -> bool:
    """Tell whether a command line asks for one of the helps."""
    return not {*HELP, WHOLE_HELP}.isdisjoint(words)


def typed(words: Sequence[str], tables: Sequence[type]) -> dict[str, Any]:  # Any: each flag has a type of its own
    """Return the flags of some dataclasses that are among the words, by their own names, with their values.

    Raises:
        UserError: a value is impossible.
    """
    parser = FlagParser()
    for table in tables:
        parser.add_flags(table)
    known, _ = parser.parse_known_args(list(words))
    return vars(known)


def coerced(
    stored: Mapping[str, Any], tables: Sequence[type], *, where: str = "the run's stored options hold"
) -> dict[str, Any]:
    """Return the stored values that are flags of the tables.

    Args:
        where: the beginning of a message: where they are stored.

    Raises:
        UserError: a value has the wrong type or is none of the choices.
    """
    flags = {name: flag for table in tables for name, flag in flags_of(table).items() if name in stored}
    return {name: _checked(flag, stored[name], where) for name, flag in flags.items()}


def _kind(flag: Flag) -> dict[str, Any]:
    """Return the argparse settings for a flag's type."""
    if flag.kind is bool:
        return {"nargs": "?", "const": True, "type": _truth, "metavar": "true|false"}
    if get_origin(flag.kind) is Literal:
        choices = get_args(flag.kind)
        shown = f"{{{','.join(filter(None, choices))}}}"
        return {"type": flag.parse or str, "choices": choices, "metavar": flag.metavar or shown}
    kind = flag.parse or (_number if flag.kind is float else flag.kind)
    return {"type": kind, "metavar": flag.metavar or METAVARS.get(flag.kind, "VALUE")}


def _truth(text: str) -> bool:
    """Parse the word after a switch, which undoes one that a run has stored: ``--no_flip false``."""
    if text.lower() not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false; a switch alone means true")
    return text.lower() == "true"


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number")
    return value


def _checked(flag: Flag, value: Any, where: str) -> Any:
    kind = flag.kind
    try:
        value = flag.parse(value) if flag.parse and isinstance(value, str) else value
    except ValueError:
        kind = None
    choices = get_args(kind) if get_origin(kind) is Literal else None
    allowed = {float: (int, float), int: (int,), bool: (bool,), str: (str,)}.get(kind, (object,))
    wrong_type = kind is None or not isinstance(value, allowed) or (isinstance(value, bool) and kind is not bool)
    if wrong_type or (choices and value not in choices):
        raise UserError(f"{where} --{flag.name} {value!r}, which is not possible; correct the file")
    return value
