"""Amounts with a unit, such as ``50M``."""

import re

from options.errors import UserError

UNITS = "KMGT"


def amount(name: str, text: str, *, kilo: int, of: str = "", examples: str = "500K, 50M or 2G") -> int:
    """Parse a number with a unit.

    Args:
        name: of the flag, for the message.
        kilo: what K stands for: 1024 of bytes, 1000 of other things.
        of: what there is so much of, for the message.

    Raises:
        UserError: it is none.
    """
    match = re.fullmatch(rf"(\d+(?:\.\d+)?)\s*([{UNITS}]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        raise UserError(f"{name} {text!r} is no amount{of}; give {examples} for example")
    return int(float(match[1]) * kilo ** (UNITS.find(match[2].upper()) + 1 if match[2] else 0))
