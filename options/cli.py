"""The command line: flags to typed settings.

Two passes. The first finds ``--model`` and ``--dataset_mode``; the second is strict and knows the
shared flags plus those two's own. Precedence, weakest first: field default, data set default, model
default, the run's stored options (test and resume), command line. Nothing here touches a disk or a
device: the caller passes a function that reads the stored options.
"""

import argparse
import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NoReturn, get_args, get_origin, get_type_hints

from data.registry import DATASETS
from models.registry import MODELS
from networks.factory import check_network_names
from options import stored as stored_layer
from options.errors import UserError
from options.schema import Options
from util.registry import did_you_mean

Values = dict[str, Any]
StoredReader = Callable[[Mapping[str, Any]], Mapping[str, Any]]

TEST_DEFAULTS: Mapping[str, Any] = {
    "model": "test",
    "phase": "test",
    "num_threads": 0,
    "serial_batches": True,
    "no_flip": True,
    "load_size": 256,
}


def parse_train(argv: Sequence[str] | None = None, stored: StoredReader = lambda run: {}) -> Options:
    """Parse the flags of ``train.py``; on an error print usage and one sentence, exit with 2.

    Args:
        argv: words after the program's name; None takes the process's own.
        stored: given the values that name a run, returns the options stored in it. Called only with
            ``--continue_train``.
    """
    return _Parser(is_train=True).parse(argv, stored)


def parse_test(argv: Sequence[str] | None = None, stored: StoredReader = lambda run: {}) -> Options:
    """Parse the flags of ``test.py``; ``stored`` is always asked."""
    return _Parser(is_train=False).parse(argv, stored)


class _Parser:
    """One command's flags."""

    def __init__(self, *, is_train: bool) -> None:
        self.is_train = is_train
        self.program = "train.py" if is_train else "test.py"
        self.groups = Options.TRAIN_GROUPS if is_train else Options.TEST_GROUPS
        usage = f"python {self.program} --dataroot FOLDER --model MODEL --name RUN [flags]"
        self.argparser = argparse.ArgumentParser(
            prog=self.program,
            usage=usage + f"\n       python {self.program} --help",
            description=f"Models: {', '.join(MODELS)}. Data sets: {', '.join(DATASETS)}.",
            allow_abbrev=False,
        )

    def parse(self, argv: Sequence[str] | None, read_stored: StoredReader) -> Options:
        """Return the settings, or exit with 2."""
        try:
            first = self._front(argv)
            stored: Mapping[str, Any] = {}
            if not self.is_train or first["continue_train"]:
                stored = stored_layer.relevant(
                    read_stored(first), given_model=first["given_model"], is_train=self.is_train
                )
            return self._strict(argv, stored)
        except UserError as error:
            self.argparser.error(str(error))

    def _front(self, argv: Sequence[str] | None) -> Values:
        """Find the model, the data set and the run, ignoring flags that only they know."""
        parser = _Silent(add_help=False, allow_abbrev=False)
        names: list[type] = list(self.groups.values())
        _add_flags(parser, names, shown=False)
        parser.add_argument("--model_suffix", default="")
        given, _ = parser.parse_known_args(argv)
        values = self._defaults(names, {}, {}) | {"continue_train": False} | vars(given)
        values["given_model"] = vars(given).get("model")
        values["name"] = _full_name(values)
        return values

    def _strict(self, argv: Sequence[str] | None, stored: Mapping[str, Any]) -> Options:
        front = _Silent(add_help=False, allow_abbrev=False)
        front.add_argument("--model")
        front.add_argument("--dataset_mode", default=None)
        named, _ = front.parse_known_args(argv)
        base = self._defaults(list(self.groups.values()), {}, {})
        if self.is_train and named.model and stored.get("model", named.model) != named.model:
            raise UserError(
                f"--model {named.model} cannot continue this run, which is a {stored['model']}; leave --model out, "
                "or choose another --name"
            )
        model = MODELS[named.model or stored.get("model") or base["model"]]
        model_defaults = {**model.defaults, **(model.train_defaults if self.is_train else {})}
        mode = named.dataset_mode or stored.get("dataset_mode") or model_defaults.get("dataset_mode")
        dataset = DATASETS[mode or base["dataset_mode"]]

        tables = [*self.groups.values(), model.Flags, dataset.Flags]
        _add_flags(self.argparser, tables, shown=True)
        defaults = self._defaults(tables, dataset.defaults, model_defaults)
        given, unknown = self.argparser.parse_known_args(argv)
        self._refuse_unknown(unknown)
        values = {**defaults, **_coerced(stored, tables), **vars(given)}
        if not self.is_train and "load_size" not in vars(given) and "load_size" not in stored:
            values["load_size"] = values["crop_size"]
        if not self.is_train:
            values["max_dataset_size"] = min(values["max_dataset_size"], values["num_test"])
        values["name"] = _full_name(values)
        if not values["dataroot"]:
            raise UserError("--dataroot is missing; give the folder of images, such as --dataroot ./datasets/facades")
        check_network_names(values["netG"], values["netD"])
        model.check_options(values, vars(given))
        return self._build(values, defaults, model.Flags, dataset.Flags)

    def _defaults(self, tables: list[type], dataset: Mapping[str, Any], model: Mapping[str, Any]) -> Values:
        fields = {f.name: f.default for table in tables for f in dataclasses.fields(table)}
        known = set(fields) | {f.name for t in Options.TRAIN_GROUPS.values() for f in dataclasses.fields(t)}
        layers = [dataset, model] if self.is_train else [dataset, model, TEST_DEFAULTS]
        for name, value in [item for layer in layers for item in layer.items()]:
            assert name in known, f"a default is given for {name!r}, which is no flag"
            if name in fields:
                fields[name] = value
        return fields

    def _build(self, values: Values, defaults: Values, own: type, dataset: type) -> Options:
        def fill(table: type) -> Any:
            names = [f.name for f in dataclasses.fields(table)]
            return table(**{name: values[name] for name in names if name in values})

        groups = {name: fill(table) for name, table in {**Options.TRAIN_GROUPS, **Options.TEST_GROUPS}.items()}
        return Options(**groups, own=fill(own), dataset=fill(dataset), is_train=self.is_train, defaults=defaults)

    def _refuse_unknown(self, unknown: Sequence[str]) -> None:
        """Say of the first unknown word what was probably meant."""
        if not unknown:
            return
        word = next((w for w in unknown if w.startswith("-")), unknown[0])
        name = word.lstrip("-").split("=")[0]
        for kind, table in (("--model", MODELS), ("--dataset_mode", DATASETS)):
            for key in table:
                if name in {f.name for f in dataclasses.fields(table[key].Flags)}:
                    raise UserError(f"{word} is a flag of {kind} {key} only; leave it out or choose {kind} {key}")
        groups = {**Options.TRAIN_GROUPS, **Options.TEST_GROUPS}
        if name in {f.name for table in groups.values() for f in dataclasses.fields(table)}:
            other = "test.py" if self.is_train else "train.py"
            raise UserError(f"{word} is a flag of {other}, not of {self.program}; leave it out")
        known = [s for action in self.argparser._actions for s in action.option_strings]
        raise UserError(f"unknown flag {word!r}{did_you_mean(word, known)}; see python {self.program} --help")


class _Silent(argparse.ArgumentParser):
    """A parser for the first pass, whose errors read like those of the second."""

    def error(self, message: str) -> NoReturn:
        raise UserError(message)


def _add_flags(parser: argparse.ArgumentParser, tables: Sequence[type], *, shown: bool) -> None:
    """Add one flag per field; no defaults, so that what was typed can be told from what was not."""
    for table in tables:
        title = (table.__doc__ or "").splitlines()[0].rstrip(".")
        group = parser.add_argument_group(title)
        hints = get_type_hints(table)
        for f in dataclasses.fields(table):
            settings: dict[str, Any] = {"dest": f.name, "default": argparse.SUPPRESS}
            kind = hints[f.name]
            if kind is bool:
                settings |= {"action": "store_true"}
            else:
                settings |= {"type": f.metadata.get("parse") or (str if get_origin(kind) is Literal else kind)}
                if get_origin(kind) is Literal:
                    settings |= {"choices": get_args(kind)}
                else:
                    settings |= {"metavar": "X"}
            text = f.metadata.get("help", "")
            group.add_argument(f"--{f.name}", **settings, help=f"{text} (default {f.default!r})".replace("%", "%%"))
            for alias in f.metadata.get("aliases", ()):
                group.add_argument(f"--{alias}", **settings, help=argparse.SUPPRESS)
            if f.metadata.get("opposite"):
                settings["action"] = "store_false"
                group.add_argument(f"--{f.metadata['opposite']}", **settings, help=argparse.SUPPRESS)
            if f.name == "gan_mode":  # the spelling of before 2019
                group.add_argument(
                    "--no_lsgan",
                    dest="gan_mode",
                    default=argparse.SUPPRESS,
                    action="store_const",
                    const="vanilla",
                    help=argparse.SUPPRESS,
                )


def _coerced(stored: Mapping[str, Any], tables: Sequence[type]) -> Values:
    """Return the stored values that are flags here, in the field's type."""
    result: Values = {}
    for table in tables:
        hints = get_type_hints(table)
        for f in dataclasses.fields(table):
            if f.name not in stored:
                continue
            value, parse = stored[f.name], f.metadata.get("parse")
            result[f.name] = parse(value) if parse and isinstance(value, str) else value
            kind = hints[f.name]
            allowed = get_args(kind) if get_origin(kind) is Literal else ()
            if allowed and result[f.name] not in allowed:
                raise UserError(f"the run's stored options hold --{f.name} {value!r}; known: {', '.join(allowed)}")
    return result


def _full_name(values: Mapping[str, Any]) -> str:
    """Append the suffix, filled in with the options it names."""
    if not values["suffix"]:
        return str(values["name"])
    try:
        return f"{values['name']}_{values['suffix'].format(**values)}"
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(f"--suffix {values['suffix']!r} names no option: {error}") from error
