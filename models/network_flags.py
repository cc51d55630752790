"""Flags that have no effect on the generator at hand."""

from collections.abc import Mapping
from typing import Any

from networks.generators import generator_kind
from options.errors import UserError


def check_network_flags(values: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse a typed flag that the generator does without.

    Args:
        values: all flags, resolved.
        given: those typed.

    Raises:
        UserError: naming the flag.
    """
    for flag in generator_kind(values["netG"]).does_without:
        if flag in given:
            raise UserError(
                f"--{flag} {given[flag]} has no effect on --netG {values['netG']}, which has a way of its own; "
                "leave it out"
            )
