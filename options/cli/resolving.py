"""The precedence rule: one pass over the command line, from words to a value for every flag."""

import argparse
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from data.base import TranslationDataset
from data.registry import DATASETS
from models.base import TranslationModel
from models.registry import MODELS
from options.arguments import QuietParser, add_flags, coerced
from options.cli.preset import Preset, read_preset
from options.errors import UserError
from options.schema import Options

Values = dict[str, Any]

TEST_DEFAULTS: Mapping[str, Any] = {
    "model": "test",
    "phase": "test",
    "num_threads": 0,
    "serial_batches": True,
    "no_flip": True,
    "load_size": 256,
}


class Resolved(NamedTuple):
    """One pass over the command line."""

    model: type[TranslationModel[Any]]
    dataset: type[TranslationDataset]
    defaults: Values  # with the data set's and the model's
    given: Values  # what was typed
    values: Values  # what holds
    unknown: list[str]
    preset: Preset | None = None


def preset_named(argv: Sequence[str] | None) -> str:
    """Return the name after ``--preset``, or nothing."""
    return _named(argv, is_train=True).preset or ""


def resolve(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, stored: Mapping[str, Any], *, is_train: bool
) -> Resolved:
    """Apply the precedence rule; leave unknown words to the caller."""
    named = _named(argv, is_train=is_train)
    if is_train and named.model and stored.get("model", named.model) != named.model:
        raise UserError(
            f"--model {named.model} cannot continue this run, which is a {stored['model']}; leave --model out, "
            "or choose another --name"
        )
    preset = read_preset(named.preset) if named.preset else None
    if preset and named.model not in (None, preset.model):
        raise UserError(
            f"--preset {preset.name} is a recipe for --model {preset.model}, not {named.model}; leave --model out, "
            "or choose another preset (--preset list shows all)"
        )
    recipe: Mapping[str, Any] = {**preset.flags, "model": preset.model} if preset else {}
    groups = list((Options.TRAIN_GROUPS if is_train else Options.TEST_GROUPS).values())
    base = {**_defaults(groups, [{}] if is_train else [TEST_DEFAULTS]), **recipe}
    model = MODELS[named.model or stored.get("model") or base["model"]]
    model_defaults = {**model.defaults, **(model.train_defaults if is_train else {})}
    mode = named.dataset_mode or stored.get("dataset_mode") or {**model_defaults, **recipe}.get("dataset_mode")
    dataset = DATASETS[mode or base["dataset_mode"]]

    tables = [*groups, model.Flags, dataset.Flags]
    for table in tables:
        add_flags(parser, table)
    layers = [dataset.defaults, model_defaults, *([] if is_train else [TEST_DEFAULTS])]
    defaults = _defaults(tables, layers)
    known, unknown = parser.parse_known_args(argv)
    given = vars(known)
    for name, implied in model.implied.items():
        chosen = implied.get({**defaults, **recipe, **stored, **given}[name], {})
        defaults |= {flag: value for flag, value in chosen.items() if flag in defaults}
    if {"gpu_ids", "device"} & set(given):  # one of them typed overrules both as stored
        stored = {name: value for name, value in stored.items() if name not in ("gpu_ids", "device")}
    by_patch, by_name = "patch_size" in given, bool({"netD", "n_layers_D"} & set(given))
    if by_patch and by_name:
        raise UserError(f"--patch_size {given['patch_size']} takes the place of --netD and --n_layers_D; leave one out")
    outdone = {"netD", "n_layers_D"} if by_patch else {"patch_size"} if by_name else set()
    stored, recipe = ({k: v for k, v in table.items() if k not in outdone} for table in (stored, recipe))
    if preset and model is MODELS[preset.model]:
        _refuse_strange(preset, tables)
    planned = coerced(recipe, tables, where=f"--preset {preset.name} has") if preset else {}
    values = {**defaults, **planned, **coerced(stored, tables), **given}
    if not is_train and "load_size" not in given and "load_size" not in stored:
        values["load_size"] = values["crop_size"]
    values["name"] = _full_name(values)
    return Resolved(model, dataset, defaults, given, values, unknown, preset)


def _named(argv: Sequence[str] | None, *, is_train: bool) -> argparse.Namespace:
    """Find the flags on which others depend."""
    front = QuietParser(add_help=False)
    front.add_argument("--model")
    front.add_argument("--dataset_mode")
    front.add_argument("--preset")
    named, _ = front.parse_known_args(argv)
    if not is_train:
        named.preset = None  # no flag of a test
    return named


def _refuse_strange(preset: Preset, tables: Sequence[type]) -> None:
    """Refuse a recipe, one that somebody has added, that sets what is no flag."""
    flags = {f.name for table in tables for f in dataclasses.fields(table)}
    for name in preset.flags:
        if name not in flags:
            raise UserError(f"--preset {preset.name} sets --{name}, which is no flag of --model {preset.model}")


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
