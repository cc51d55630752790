"""What may change when a run is continued, and how a change is shown."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from options.errors import UserError
from options.schema import NetOptions

# The networks exist, what they have learned has a direction, and the order of the images follows from the seed.
FIXED = {f.name for f in dataclasses.fields(NetOptions)} | {"direction", "seed", "init_from"}
FIXED |= {"netF", "netF_nc", "nce_layers", "no_conditional_D"}  # of models; they build their networks

SAME_FILES = {"batch", "syncbatch"}  # norms that differ in how they compute, not in what they learn


def refuse_fixed(stored: Mapping[str, Any], given: Mapping[str, Any], *, name: str) -> None:
    """Refuse a typed flag that contradicts what the run is made of.

    Args:
        stored: the run's options.
        given: the flags typed.
        name: the run's name, for the message.

    Raises:
        UserError: naming the first such flag.
    """
    for flag in sorted(FIXED & set(stored) & set(given)):
        if given[flag] != stored[flag] and {given[flag], stored[flag]} != SAME_FILES:
            raise UserError(
                f"--{flag} {_shown(given[flag])} cannot continue this run, which has --{flag} {_shown(stored[flag])}; "
                f"leave it out, or start a run of another --name from these networks with --init_from {name}"
            )


def changes(stored: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stored options that now have another value, as ``--batch_size 1 -> 4``."""
    for flag in sorted(set(stored) & set(values)):
        if stored[flag] != values[flag] and str(stored[flag]) != str(values[flag]):  # infinity is stored as text
            yield f"--{flag} {_shown(stored[flag])} -> {_shown(values[flag])}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"
