"""What may change when a run is continued, and how a change is shown."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from options.errors import UserError
from options.schema import Discriminator, NetOptions

# The networks exist, what they have learned has a direction, and the order of the images follows from the seed.
JUDGES = {"netD", "n_layers_D", "patch_size"}  # together they name a discriminator
FIXED = {f.name for f in dataclasses.fields(NetOptions)} - JUDGES | {"direction", "seed", "init_from"}
OF_MODELS = {"netF", "netF_nc", "nce_layers", "no_conditional_D", "CUT_mode"}  # as fixed
SWITCHES = ("lambda_GAN", "lambda_NCE")  # 0 trains without the networks that the loss needs

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
    for flag in sorted((FIXED | OF_MODELS) & set(stored) & set(given)):
        if given[flag] != stored[flag] and {given[flag], stored[flag]} != SAME_FILES:
            raise UserError(
                f"--{flag} {_shown(given[flag])} cannot continue this run, which has --{flag} {_shown(stored[flag])}; "
                f"leave it out, or start a run of another --name from these networks with --init_from {name}"
            )


def refuse_other_networks(stored: Mapping[str, Any], values: Mapping[str, Any], *, name: str) -> None:
    """Refuse what would leave networks of a run out, add some, or make others of them.

    Args:
        stored: the run's options; older ones lack newer flags.
        values: what holds now.
        name: the run's name, for the message.

    Raises:
        UserError: naming the flag.
    """
    if not JUDGES & set(stored):  # what is known of it, a generator's file tells
        return
    advice = f"leave it out, or start a run of another --name from these networks with --init_from {name}"
    for flag in SWITCHES:
        before = stored.get(flag, 1.0)
        if flag in values and bool(values[flag]) != bool(before):
            raise UserError(
                f"--{flag} {_shown(values[flag])} cannot continue this run, which has --{flag} {_shown(before)}, as "
                f"other networks were trained; {advice}"
            )
    now, then = (_judge(table) for table in (values, stored))
    if (now.layers or now.name) != (then.layers or then.name):
        raise UserError(
            f"a discriminator {now.name} of {now.layers} layers cannot continue this run, which has {then.name} of "
            f"{then.layers} (--netD, --n_layers_D or --patch_size); {advice}"
        )


def _judge(values: Mapping[str, Any]) -> Discriminator:
    known = {flag: values[flag] for flag in JUDGES if flag in values}
    return NetOptions(**known).discriminator


def changes(stored: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stored options that now have another value, as ``--batch_size 1 -> 4``."""
    for flag in sorted(set(stored) & set(values)):
        if stored[flag] != values[flag] and str(stored[flag]) != str(values[flag]):  # infinity is stored as text
            yield f"--{flag} {_shown(stored[flag])} -> {_shown(values[flag])}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"
