"""What a resume or a test takes over from the options that a training stored, and what it may not change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from options.errors import UserError
from options.flag import Scope, flags_of
from options.net import DISCRIMINATOR, Discriminator, NetOptions
from options.schema import TRAIN_TABLES

# The scopes of shared flags; those of models and data sets have the usual one.
SCOPES: Mapping[str, Scope] = {
    name: flag.scope for table in TRAIN_TABLES.values() for name, flag in flags_of(table).items()
}
NOT_RESUMED = frozenset(name for name, scope in SCOPES.items() if scope == "command")

# Random crops are for training; at test the whole image is translated.
UNCROPPED = {
    "scale_width_and_crop": "scale_width",
    "scale_shortside_and_crop": "scale_shortside",
    "crop": "none",
    "pad_and_crop": "keep",
}

SWITCHES = ("lambda_GAN", "lambda_NCE")  # 0 trains without the networks that the loss needs
SAME_FILES = {"batch", "syncbatch"}  # norms that differ in how they compute, not in what they learn


def relevant(stored: Mapping[str, Any], *, given_model: str | None, is_train: bool) -> dict[str, Any]:
    """Keep the stored options that the next command should start from.

    Args:
        stored: flag -> value as written by the run; empty when there is none.
        given_model: ``--model`` of the command line, if any.
        is_train: True for a resume, False for ``test.py``.
    """
    if is_train:
        return {name: value for name, value in stored.items() if name not in NOT_RESUMED}
    same_model = given_model is None or given_model == stored.get("model")
    reach = {"model", "networks"} if same_model else {"networks"}
    kept = {name: value for name, value in stored.items() if SCOPES.get(name, "model") in reach}
    preprocess = stored.get("preprocess")
    if str(preprocess).startswith("scale_"):
        kept["load_size"] = stored["load_size"]
    if preprocess in UNCROPPED:
        kept["preprocess"] = UNCROPPED[preprocess]
    return kept


def refuse_other_networks(
    stored: Mapping[str, Any], given: Mapping[str, Any], values: Mapping[str, Any], tables: Sequence[type], *, name: str
) -> None:
    """Refuse typed flags that contradict what the run is made of, and what would make other networks of the run's.

    The networks exist, what they have learned has a direction, and the order of the images follows from the seed.

    Args:
        stored: the run's options; older ones lack newer flags.
        given: the flags typed.
        values: what holds now.
        tables: dataclasses of all flags.
        name: the run's name, for the message.

    Raises:
        UserError: naming the first such flag.
    """
    advice = f"leave it out, or start a run of another --name from these networks with --init_from {name}"
    fixed = {flag.name for table in tables for flag in flags_of(table).values() if flag.fixed}
    for flag in sorted(fixed & set(stored) & set(given)):
        if given[flag] != stored[flag] and {given[flag], stored[flag]} != SAME_FILES:
            raise UserError(
                f"--{flag} {_shown(given[flag])} cannot continue this run, which has --{flag} {_shown(stored[flag])}; "
                f"{advice}"
            )
    if not set(DISCRIMINATOR) & set(stored):  # what is known of it, a generator's file tells
        return
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
    return NetOptions(**{flag: values[flag] for flag in DISCRIMINATOR if flag in values}).discriminator


def changes(stored: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the stored options that now have another value, as ``--batch_size 1 -> 4``."""
    for flag in sorted(set(stored) & set(values)):
        if stored[flag] != values[flag] and str(stored[flag]) != str(values[flag]):  # infinity is stored as text
            yield f"--{flag} {_shown(stored[flag])} -> {_shown(values[flag])}"


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value) or "''"
