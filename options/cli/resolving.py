"""The precedence rule: one pass over the command line, from words to a value for every flag."""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from data.base import TranslationDataset
from data.registry import DATASETS
from models.base import TranslationModel
from models.registry import MODELS
from options.arguments import FlagParser, QuietParser, coerced
from options.cli.preset import Preset, read_preset
from options.errors import UserError
from options.flag import flags_of
from options.schema import TEST_DEFAULTS, TEST_TABLES, TRAIN_TABLES, DataOptions, RunOptions

Values = dict[str, Any]


class Resolved(NamedTuple):
    """One pass over the command line."""

    model: type[TranslationModel[Any]]
    dataset: type[TranslationDataset]
    tables: tuple[type, ...]  # of all flags
    defaults: Values  # with the data set's and the model's
    given: Values  # what was typed
    values: Values  # what holds
    unknown: list[str]
    preset: Preset | None = None


def preset_named(words: Sequence[str] | None) -> str:
    """Return the name after ``--preset``, or nothing."""
    return _named(words, is_train=True).preset or ""


def resolve(parser: FlagParser, words: Sequence[str] | None, stored: Mapping[str, Any], *, is_train: bool) -> Resolved:
    """Apply the precedence rule; leave unknown words to the caller."""
    named = _named(words, is_train=is_train)
    if is_train and named.model and stored.get("model", named.model) != named.model:
        raise UserError(
            f"--model {named.model} cannot continue this run, which is a {stored['model']}; leave --model out, "
            "or choose another --name"
        )
    preset = _preset_beside(named)
    recipe: Values = {**preset.flags, "model": preset.model} if preset else {}
    model, dataset = _chosen(named, {**recipe, **stored}, is_train=is_train)
    tables = (*(TRAIN_TABLES if is_train else TEST_TABLES).values(), model.Flags, dataset.Flags)
    defaults = _defaults(
        tables, [dataset.defaults, model.defaults, model.train_defaults if is_train else TEST_DEFAULTS]
    )
    for table in tables:
        parser.add_flags(table, {**defaults, **recipe})
    known, unknown = parser.parse_known_args(words)
    given = vars(known)
    for name, implied in model.implied.items():
        chosen = implied.get({**defaults, **recipe, **stored, **given}[name], {})
        defaults |= {flag: value for flag, value in chosen.items() if flag in defaults}
    flags = [flag for table in tables for flag in flags_of(table).values()]
    outdone = {other for flag in flags if flag.name in given for other in flag.instead_of}
    stored, recipe = ({k: v for k, v in layer.items() if k not in outdone} for layer in (stored, recipe))
    if preset and model is MODELS[preset.model]:
        _refuse_strange(preset, tables)
    planned = coerced(recipe, tables, where=f"--preset {preset.name} has") if preset else {}
    values = {**defaults, **planned, **coerced(stored, tables), **given}
    if not is_train and "load_size" not in given and "load_size" not in stored:
        values["load_size"] = values["crop_size"]
    values["name"] = _full_name(values)
    return Resolved(model, dataset, tables, defaults, given, values, unknown, preset)


def _named(words: Sequence[str] | None, *, is_train: bool) -> argparse.Namespace:
    """Find the flags on which others depend."""
    front = QuietParser(add_help=False)
    front.add_argument("--model")
    front.add_argument("--dataset_mode")
    front.add_argument("--preset")
    named, _ = front.parse_known_args(words)
    if not is_train:
        named.preset = None  # no flag of a test
    return named


def _preset_beside(named: argparse.Namespace) -> Preset | None:
    """Return the recipe that is named, if any."""
    preset = read_preset(named.preset) if named.preset else None
    if preset and named.model not in (None, preset.model):
        raise UserError(
            f"--preset {preset.name} is a recipe for --model {preset.model}, not {named.model}; leave --model out, "
            "or choose another preset (--preset list shows all)"
        )
    return preset


def _chosen(
    named: argparse.Namespace, stored: Mapping[str, Any], *, is_train: bool
) -> tuple[type[TranslationModel[Any]], type[TranslationDataset]]:
    """Return the model and the data set: those named, those stored or in the recipe, or the usual ones."""
    usual = RunOptions.model if is_train else TEST_DEFAULTS["model"]
    model = MODELS[named.model or stored.get("model") or usual]
    own = {**model.defaults, **(model.train_defaults if is_train else {})}
    mode = named.dataset_mode or stored.get("dataset_mode") or own.get("dataset_mode") or DataOptions.dataset_mode
    return model, DATASETS[mode]


def _refuse_strange(preset: Preset, tables: Sequence[type]) -> None:
    """Refuse a recipe, one that somebody has added, that sets what is no flag."""
    flags = {name for table in tables for name in flags_of(table)}
    for name in preset.flags:
        if name not in flags:
            raise UserError(f"--preset {preset.name} sets --{name}, which is no flag of --model {preset.model}")


def _defaults(tables: Sequence[type], layers: Sequence[Mapping[str, Any]]) -> Values:
    """Return the flags' defaults, overridden by each layer in turn."""
    defaults: Values = {name: flag.default for table in tables for name, flag in flags_of(table).items()}
    known = {*defaults, *(name for table in TRAIN_TABLES.values() for name in flags_of(table))}
    for name, value in [item for layer in layers for item in layer.items()]:
        assert name in known, f"a default is given for {name!r}, which is no flag"
        if name in defaults:
            defaults[name] = value
    return defaults


def _full_name(values: Mapping[str, Any]) -> str:
    """Append the suffix, filled in with the options it names."""
    if not values["suffix"]:
        return str(values["name"])
    try:
        return f"{values['name']}_{values['suffix'].format(**values)}"
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise UserError(f"--suffix {values['suffix']!r} names no option: {error}") from error
