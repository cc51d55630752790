"""An explicit table from names to things, filled by a decorator.

The same class serves models, data sets and discriminators. Iterating gives the names, for help texts
and test parameters.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from options.errors import UserError

T = TypeVar("T")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


class Registry(Generic[T]):
    """Names to classes or functions of one kind; refuses duplicates and explains unknown names."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._table: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Decorate a class or function so that ``registry[name]`` finds it."""

        def add(thing: T) -> T:
            assert name not in self._table, f"{self.kind} {name!r} is registered twice"
            self._table[name] = thing
            return thing

        return add

    def __getitem__(self, name: str) -> T:
        """Look a name up.

        Raises:
            UserError: the name is unknown; the message lists the known ones and the nearest.
        """
        if name not in self._table:
            hint = did_you_mean(name, self._table)
            raise UserError(f"unknown {self.kind} {name!r}{hint}; known: {', '.join(self._table)}")
        return self._table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)
