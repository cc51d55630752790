"""Which flags were typed, for those who must know it before the strict pass over the command line."""

from collections.abc import Sequence
from typing import Any

from options.arguments import QuietParser, add_flags


def typed(words: Sequence[str], tables: Sequence[type]) -> dict[str, Any]:  # Any: each flag has a type of its own
    """Return the flags of some dataclasses that are among the words, by their own names, with their values.

    Raises:
        UserError: a value is impossible.
    """
    parser = QuietParser(add_help=False)
    for table in tables:
        add_flags(parser, table)
    known, _ = parser.parse_known_args(list(words))
    return vars(known)
