"""Dataclass fields to argparse flags, and plain values back to the fields' types."""

import argparse
import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from options.errors import UserError

NEGATIVE = re.compile(r"-\.?\d[\d.,eE+-]*$")  # a value such as -500,9000, where argparse sees a flag


class QuietParser(argparse.ArgumentParser):
    """A parser whose mistakes are a ``UserError``; it guesses no abbreviations."""

    def __init__(self, **settings: Any) -> None:  # Any: whatever argparse takes
        super().__init__(allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        """Raise instead of leaving the program."""
        raise UserError(message)


def add_flags(parser: argparse.ArgumentParser, table: type, *, bare_switches: bool = False) -> None:
    """Add a flag per field of a dataclass, but for those that are no flags and have no help.

    Flags get no defaults, so that what was typed can be told from what was not.

    Args:
        bare_switches: let none take ``true`` or ``false``, so that a word behind one is an argument of its own.
    """
    parser._negative_number_matcher = NEGATIVE
    group = parser.add_argument_group((table.__doc__ or "").splitlines()[0].rstrip("."))
    hints = get_type_hints(table)
    for f in dataclasses.fields(table):
        if "help" not in f.metadata:
            continue
        kind = _kind(hints[f.name], f.metadata.get("parse"))
        if bare_switches and hints[f.name] is bool:
            kind = {"action": "store_true"}
        settings = {"dest": f.name, "default": argparse.SUPPRESS} | kind
        text = f"{f.metadata['help']} (default {f.default!r})".replace("%", "%%")
        group.add_argument(f"--{f.name}", **settings, help=text)
        for alias in f.metadata["aliases"]:
            group.add_argument(f"--{alias}", **settings, help=argparse.SUPPRESS)
        for word, value in f.metadata["shorthands"].items():
            settings = {"dest": f.name, "default": argparse.SUPPRESS, "action": "store_const", "const": value}
            group.add_argument(f"--{word}", **settings, help=argparse.SUPPRESS)


def coerced(
    stored: Mapping[str, Any], tables: Sequence[type], *, where: str = "the run's stored options hold"
) -> dict[str, Any]:
    """Return the stored values that are flags of the tables.

    Args:
        where: the beginning of a message: where they are stored.

    Raises:
        UserError: a value has the wrong type or is none of the choices.
    """
    result: dict[str, Any] = {}
    for table in tables:
        hints = get_type_hints(table)
        for f in dataclasses.fields(table):
            if f.name in stored:
                result[f.name] = _checked(f.name, stored[f.name], hints[f.name], f.metadata.get("parse"), where)
    return result


def _kind(hint: Any, parse: Any) -> dict[str, Any]:
    """Return the argparse settings for a field's type."""
    if hint is bool:
        return {"nargs": "?", "const": True, "type": _truth, "metavar": "true|false"}
    if get_origin(hint) is Literal:
        return {"type": parse or str, "choices": get_args(hint)}
    return {"type": parse or (_number if hint is float else hint), "metavar": "X"}


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


def _checked(name: str, value: Any, hint: Any, parse: Any, where: str) -> Any:
    try:
        value = parse(value) if parse and isinstance(value, str) else value
    except ValueError:
        hint = None
    choices = get_args(hint) if get_origin(hint) is Literal else None
    allowed = {float: (int, float), int: (int,), bool: (bool,), str: (str,)}.get(hint, (object,))
    wrong_type = hint is None or not isinstance(value, allowed) or (isinstance(value, bool) and hint is not bool)
    if wrong_type or (choices and value not in choices):
        raise UserError(f"{where} --{name} {value!r}, which is not possible; correct the file")
    return value
