"""How a setting is declared and checked."""

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from options.errors import UserError

INFINITE = math.inf


def count_or_inf(text: str) -> float:
    """Parse a number of images, or ``inf``."""
    return math.inf if text == "inf" else int(text)


def flag(
    default: Any,  # of the field's type; dataclasses cannot say so
    text: str,
    *,
    parse: Callable[[str], Any] | None = None,  # same reason
    aliases: tuple[str, ...] = (),
    shorthands: Mapping[str, Any] | None = None,
) -> Any:
    """Declare a flag.

    Args:
        default: value when nothing else sets it.
        text: what ``--help`` says.
        parse: turns the typed text into the value, where the type alone does not.
        aliases: older spellings, accepted but not shown.
        shorthands: switches that stand for one value, accepted but not shown.
    """
    details = {"help": text, "parse": parse, "aliases": aliases, "shorthands": shorthands or {}}
    return field(default=default, metadata=details)


def at_least(name: str, value: float, least: float) -> None:
    """Refuse a number that is too small.

    Raises:
        UserError: ``value`` is below ``least``.
    """
    if not value >= least:
        raise UserError(f"{name} {value} is too small; it must be at least {least}")
