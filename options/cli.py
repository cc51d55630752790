"""The command line: flags to typed settings.

Two passes. The first finds the model, the data set and the run; the second is strict and knows the
shared flags plus those two's own. Precedence, weakest first: field default, data set default, model
default, the run's stored options (test and resume), command line. Nothing here touches a disk or a
device: the caller passes functions that read the stored options.
"""

import argparse
import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from data.augment.augmentation import parse_augmentation
from data.base import TranslationDataset
from data.registry import DATASETS
from models.base import TranslationModel
from models.registry import MODELS
from networks.factory import check_network_names
from options.arguments import QuietParser, add_flags, coerced
from options.changes import changes, refuse_fixed
from options.errors import UserError
from options.schema import Options
from options.stored import relevant
from util.registry import did_you_mean

log = logging.getLogger(__name__)

Values = dict[str, Any]
FROM_THE_NEWEST: Mapping[str, Any] = {"overwrite": False, "epoch": "latest", "load_iter": 0, "continue_train": True}
StoredReader = Callable[[Mapping[str, Any]], Mapping[str, Any]]

TEST_DEFAULTS: Mapping[str, Any] = {
    "model": "test",
    "phase": "test",
    "num_threads": 0,
    "serial_batches": True,
    "no_flip": True,
    "load_size": 256,
}


def parse_train(
    argv: Sequence[str] | None = None,
    stored: StoredReader = lambda run: {},
    source: StoredReader = lambda run: {},
    again: Callable[[Values], bool] = lambda run: False,
) -> Options:
    """Parse the flags of ``train.py``; on an error print usage and one sentence, exit with 2.

    Args:
        argv: words after the program's name; None takes the process's own.
        stored: given the values that name a run, returns the options stored in it. Called only with
            ``--continue_train`` and ``--resume auto``; for the latter no options mean that there is no run yet.
        source: given the same, returns the flags of the networks that ``--init_from`` names.
        again: given the same, tells whether the launcher starts this command once more after a failure; then the run
            is gone on with, whatever the flags say.
    """
    return _parse(argv, stored, source, again, is_train=True)


def parse_test(argv: Sequence[str] | None = None, stored: StoredReader = lambda run: {}) -> Options:
    """Parse the flags of ``test.py``; ``stored`` is always asked."""
    return _parse(argv, stored, lambda run: {}, lambda run: False, is_train=False)


class _Resolved(NamedTuple):
    """One pass over the command line."""

    model: type[TranslationModel[Any]]
    dataset: type[TranslationDataset]
    defaults: Values  # with the data set's and the model's
    given: Values  # what was typed
    values: Values  # what holds
    unknown: list[str]


def _parse(
    argv: Sequence[str] | None,
    read_stored: StoredReader,
    read_source: StoredReader,
    starts_again: Callable[[Values], bool],
    *,
    is_train: bool,
) -> Options:
    program = "train.py" if is_train else "test.py"
    parser = argparse.ArgumentParser(
        prog=program,
        usage=f"python {program} --dataroot FOLDER --model MODEL --name RUN [flags]\n       python {program} --help",
        description=f"Models: {', '.join(MODELS)}. Data sets: {', '.join(DATASETS)}.",
        allow_abbrev=False,
    )
    try:
        first = _resolve(QuietParser(add_help=False), argv, {}, is_train=is_train)
        run = {"model_suffix": "", **first.values}
        again = is_train and starts_again(run)
        if again:  # what these say has been done
            run |= FROM_THE_NEWEST
        going_on = is_train and (again or first.values["continue_train"] or first.values["resume"] == "auto")
        found = read_stored(run) if going_on or not is_train else {}
        stored = relevant(found, given_model=first.given.get("model"), is_train=is_train)
        going_on = going_on and (first.values["continue_train"] or bool(found))
        if is_train and not going_on and first.values["init_from"]:
            stored = dict(read_source(run))
        final = _resolve(parser, argv, stored, is_train=is_train)
        _refuse_unknown(final.unknown, parser, is_train=is_train)
        final.values["name"] = first.values["name"]  # a suffix may name an option that was stored, or of --init_from
        if going_on:
            refuse_fixed(stored, final.given, name=final.values["name"])
            final.values["continue_train"] = True
            if again:
                final.values.update(FROM_THE_NEWEST)
            for change in changes(stored, final.values):
                log.info("changed since the run was stopped: %s", change)
        if final.values["model"] == "test" and found.get("model") == "colorization":
            raise UserError("a colorization run is tested with --model colorization; pass that, or leave --model out")
        _check(final, is_train=is_train)
        return _build(final, is_train=is_train)
    except UserError as error:
        parser.error(str(error))


def _resolve(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, stored: Mapping[str, Any], *, is_train: bool
) -> _Resolved:
    """Apply the precedence rule; leave unknown words to the caller."""
    front = QuietParser(add_help=False)
    front.add_argument("--model")
    front.add_argument("--dataset_mode")
    named, _ = front.parse_known_args(argv)
    if is_train and named.model and stored.get("model", named.model) != named.model:
        raise UserError(
            f"--model {named.model} cannot continue this run, which is a {stored['model']}; leave --model out, "
            "or choose another --name"
        )
    groups = list((Options.TRAIN_GROUPS if is_train else Options.TEST_GROUPS).values())
    base = _defaults(groups, [{}] if is_train else [TEST_DEFAULTS])
    model = MODELS[named.model or stored.get("model") or base["model"]]
    model_defaults = {**model.defaults, **(model.train_defaults if is_train else {})}
    mode = named.dataset_mode or stored.get("dataset_mode") or model_defaults.get("dataset_mode")
    dataset = DATASETS[mode or base["dataset_mode"]]

    tables = [*groups, model.Flags, dataset.Flags]
    for table in tables:
        add_flags(parser, table)
    layers = [dataset.defaults, model_defaults, *([] if is_train else [TEST_DEFAULTS])]
    defaults = _defaults(tables, layers)
    known, unknown = parser.parse_known_args(argv)
    given = vars(known)
    if {"gpu_ids", "device"} & set(given):  # one of them typed overrules both as stored
        stored = {name: value for name, value in stored.items() if name not in ("gpu_ids", "device")}
    values = {**defaults, **coerced(stored, tables), **given}
    if not is_train and "load_size" not in given and "load_size" not in stored:
        values["load_size"] = values["crop_size"]
    values["name"] = _full_name(values)
    return _Resolved(model, dataset, defaults, given, values, unknown)


def _defaults(tables: list[type], layers: list[Mapping[str, Any]]) -> Values:
    """Return the fields' defaults, overridden by each layer in turn."""
    fields: Values = {f.name: f.default for table in tables for f in dataclasses.fields(table)}
    known = set(fields) | {f.name for table in Options.TRAIN_GROUPS.values() for f in dataclasses.fields(table)}
    for name, value in [item for layer in layers for item in layer.items()]:
        assert name in known, f"a default is given for {name!r}, which is no flag"
        if name in fields:
            fields[name] = value
    return fields


def _full_name(values: Mapping[str, Any]) -> str:
    """Append the suffix, filled in with the options it names."""
    if not values["suffix"]:
        return str(values["name"])
    try:
        return f"{values['name']}_{values['suffix'].format(**values)}"
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"--suffix {values['suffix']!r} names no option: {error}") from error


def _check(final: _Resolved, *, is_train: bool) -> None:
    """Refuse what contradicts itself across the groups of flags."""
    values, model, dataset = final.values, final.model, final.dataset
    if not values["dataroot"]:
        raise UserError("--dataroot is missing; give the folder of images, such as --dataroot ./datasets/facades")
    check_network_names(values["netG"], values["netD"])
    for flag in ("augment", "augment_input"):
        parse_augmentation(values[flag], f"--{flag}")
    for flag in ("augment", "augment_input", "cache", "cache_gb", "cache_dir", "no_data_check"):
        if flag in final.given and not is_train:
            raise UserError(f"--{flag} has no effect in a test; leave it out")
    if {"cache_gb", "cache_dir"} & set(final.given) and values["cache"] == "off":
        raise UserError("--cache_gb and --cache_dir have no effect without --cache; add --cache ram or --cache disk")
    if is_train and not model.needs_target:
        raise UserError(f"--model {values['model']} only translates; train with --model cycle_gan or pix2pix")
    for flag in ("epoch", "load_iter") if is_train and not final.given.get("continue_train") else ():
        if flag in final.given:
            raise UserError(f"--{flag} has no effect without --continue_train; add that or leave it out")
    if is_train and values["gan_mode"] == "wgangp" and values["norm"] in ("batch", "syncbatch"):
        log.warning("--gan_mode wgangp judges each image alone, which --norm %s prevents; use instance", values["norm"])
    if values["compile"] != "off" and values.get("gan_mode") == "wgangp":
        raise UserError(
            f"--compile {values['compile']} cannot differentiate twice, as --gan_mode wgangp does; pass --compile off"
        )
    if values["compile"] == "step" and not is_train:
        raise UserError("--compile step records the steps of a training; pass --compile nets")
    if model.needs_target and not dataset.has_target:
        raise UserError(
            f"--dataset_mode {values['dataset_mode']} has no B images, which --model {values['model']} needs; use "
            "--dataset_mode unaligned or aligned, or --model test to translate a plain folder"
        )
    if is_train and values["lr_policy"] == "plateau" and model.validation is TranslationModel.validation:
        raise UserError(
            f"--model {values['model']} has no validation figure for --lr_policy plateau; use linear, step or cosine"
        )
    model.check_options(values, final.given)


def _build(final: _Resolved, *, is_train: bool) -> Options:
    """Fill the dataclasses, whose own checks refuse impossible values."""

    def fill(table: type) -> Any:
        names = [f.name for f in dataclasses.fields(table)]
        return table(**{name: final.values[name] for name in names if name in final.values})

    groups = {name: fill(table) for name, table in {**Options.TRAIN_GROUPS, **Options.TEST_GROUPS}.items()}
    own, dataset = fill(final.model.Flags), fill(final.dataset.Flags)
    return Options(**groups, own=own, dataset=dataset, is_train=is_train, defaults=final.defaults)


def _refuse_unknown(unknown: Sequence[str], parser: argparse.ArgumentParser, *, is_train: bool) -> None:
    """Say of the first unknown word what was probably meant."""
    if not unknown:
        return
    word = next((w for w in unknown if w.startswith("-")), unknown[0])
    name = word.lstrip("-").split("=")[0]
    owners = [("--model", key, MODELS[key].Flags) for key in MODELS]
    owners += [("--dataset_mode", key, DATASETS[key].Flags) for key in DATASETS]
    for flag, key, table in owners:
        if name in {f.name for f in dataclasses.fields(table)}:
            raise UserError(f"{word} is a flag of {flag} {key} only; leave it out or choose {flag} {key}")
    this, other = ("train.py", "test.py") if is_train else ("test.py", "train.py")
    everywhere = {**Options.TRAIN_GROUPS, **Options.TEST_GROUPS}.values()
    if name in {f.name for table in everywhere for f in dataclasses.fields(table)}:
        raise UserError(f"{word} is a flag of {other}, not of {this}; leave it out")
    known = [word for action in parser._actions for word in action.option_strings]
    raise UserError(f"unknown flag {word!r}{did_you_mean(word, known)}; see python {this} --help")
