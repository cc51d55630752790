"""How a setting is declared: a field of a dataclass that holds all there is to know of its flag."""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, get_type_hints

from options.errors import UserError

INFINITE = math.inf
Scope = Literal["command", "run", "model", "networks"]


class Flag(NamedTuple):
    """A flag of the command line, and what becomes of its value in later commands.

    Attributes:
        default: value when nothing else sets it.
        text: the first sentence says what it sets; the rest, when one would change it.
        name: of the field, and of the flag without its dashes.
        kind: the field's type.
        metavar: what stands for the value in the help; empty: as the type says.
        otherwise: what an empty default comes to.
        essential: whether the short help shows it.
        parse: turns the typed text into the value, where the type alone does not.
        least: the smallest number that is allowed.
        most: the largest; a flag that has it has ``least`` as well.
        short: a spelling of one letter.
        aliases: older spellings, accepted but not shown.
        shorthands: switches that stand for one value, accepted but not shown.
        in_test: the default in ``test.py``, whatever model and data set say; None: there is no other.
        scope: how far a training's value reaches: this command, also the run when it is continued, also tests with the
            run's own model, also tests with any model that loads its networks.
        fixed: whether a run that is continued must keep it.
        instead_of: flags whose stored values count no more where this one is typed.
    """

    default: Any  # of the field's type
    text: str
    name: str = ""
    kind: Any = None  # a type, or Literal[...]
    metavar: str = ""
    otherwise: str = ""
    essential: bool = False
    parse: Callable[[str], Any] | None = None
    least: float = -INFINITE
    most: float = INFINITE
    short: str = ""
    aliases: tuple[str, ...] = ()
    shorthands: Mapping[str, Any] = MappingProxyType({})
    in_test: Any = None
    scope: Scope = "model"
    fixed: bool = False
    instead_of: tuple[str, ...] = ()


def flag(default: Any, text: str, **details: Any) -> Any:  # dataclasses cannot say of which type
    """Declare a flag: its default, what it is and when one would change it; the details are those of ``Flag``."""
    return field(default=default, metadata={"flag": Flag(default=default, text=text, **details)})


def flags_of(table: type) -> Mapping[str, Flag]:
    """Return the flags of a dataclass by name, in order."""
    return _flags_of(table)


@functools.cache
def _flags_of(table: type) -> Mapping[str, Flag]:
    kinds, declared = get_type_hints(table), [one for one in fields(table) if "flag" in one.metadata]
    return {one.name: one.metadata["flag"]._replace(name=one.name, kind=kinds[one.name]) for one in declared}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Base of all settings: refuses numbers that are outside what their flags allow.

    A subclass that checks more calls ``super().__post_init__()`` first.
    """

    def __post_init__(self) -> None:
        refuse_outside(vars(self), type(self))


def refuse_outside(values: Mapping[str, Any], table: type) -> None:
    """Refuse values, by name, that are outside what the flags of a dataclass allow.

    Raises:
        UserError: naming the flag, the value and what is allowed.
    """
    for name, flag in flags_of(table).items():
        value = values.get(name, flag.default)
        if flag.most < INFINITE and not flag.least <= value <= flag.most:
            within = f"outside {flag.least} to {flag.most}"
            raise UserError(f"--{name} {as_typed(value)} is {within}; without the flag it is {as_typed(flag.default)}")
        if flag.least > -INFINITE:
            at_least(f"--{name}", value, flag.least)


def at_least(name: str, value: float, least: float) -> None:
    """Refuse a number that is too small.

    Raises:
        UserError: ``value`` is below ``least``.
    """
    if not value >= least:
        raise UserError(f"{name} {value} is too small; it must be at least {least}")


def count_or_inf(text: str) -> float:
    """Parse a number of images, or ``inf``."""
    return math.inf if text == "inf" else int(text)


def as_typed(value: Any) -> str:
    """Write a value as it is typed; whole numbers alike, however they are stored."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)
